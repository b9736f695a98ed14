import { stripVTControlCharacters } from "node:util";

/** Takes out of text from another machine what a terminal would act on. Line breaks stay. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/(?!\n)\p{Cc}/gu, "?");
}
