import { stripVTControlCharacters } from "node:util";

/**
 * Removes from another machine's text what a terminal would act on and what is invisible, such as marks that reverse the
 * direction of text. Line breaks stay.
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
