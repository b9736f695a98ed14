import { stripVTControlCharacters } from "node:util";

/**
 * Takes out of text from another machine what a terminal would act on, and what is not visible, such as marks that turn
 * the direction of text round. Line breaks stay.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\p{Cf}/gu, "")
    .replace(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}]/gu, "?");
}

/** The same in one line, so that it cannot pass for lines of a command. */
export function printableLine(text: string): string {
  return printable(text.replace(/\s+/g, " ").trim());
}
