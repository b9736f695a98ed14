import type { Door } from "./door.ts";
import type { Fit, Part } from "./part.ts";

/** What the judge has to know of a request. */
export type JudgedRequest = {
  /** Whether it gets a token. */
  readonly fit: Fit;
  readonly method: string;
  readonly origin: Part;
  /** The lines of its head after the first. */
  readonly head: readonly string[];
  /** Whether its bytes are no request, so that nobody owes it an answer. */
  readonly isFormless: boolean;
};

/** An origin or a credential, as the door takes it: the open one reads neither, so only a broken header is not right. */
export function partAt({ name }: Door, part: Part): Part {
  if (name === "closed" || part.fit !== "wrong") return part;
  const isPlain = part.lines.every((line) => /^[\x20-\x7e]*$/.test(line));
  return { ...part, fit: isPlain ? "right" : "either" };
}
