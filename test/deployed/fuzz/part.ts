import fc from "fast-check";

/**
 * Whether a part of a request is as it has to be for a token; `either` where that is up to the HTTP server. A request is
 * right when all of its parts are, and wrong as soon as one is.
 */
export type Fit = "right" | "wrong" | "either";

/** One part of a request: lines of its head. Every character stands for one byte. */
export type Part = { readonly fit: Fit; readonly lines: readonly string[] };

export const ABSENT: Part = { fit: "right", lines: [] };

/** The fit of a whole from those of its parts. */
export function worstFit(fits: readonly Fit[]): Fit {
  if (fits.includes("wrong")) return "wrong";
  return fits.includes("either") ? "either" : "right";
}

/** Lines of one fit, to choose from. */
export function lines(fit: Fit, ...choices: readonly string[]): fc.Arbitrary<Part> {
  return fc.constantFrom(...choices).map((line) => ({ fit, lines: [line] }));
}

/** Mostly what is right, so that most requests get as far as a part that is not. */
export function mostly<Value>(
  right: fc.Arbitrary<Value>,
  ...others: readonly fc.Arbitrary<Value>[]
): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 6 * others.length, arbitrary: right }, ...others);
}

/** Characters from one code to another, both included. */
export function characters(from: number, to: number): fc.Arbitrary<string> {
  return fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code));
}

export const anyBytes = fc.string({ unit: characters(0, 255), maxLength: 60 });
/** Within a line of the head: with line ends, what follows might no longer belong to the request. */
export const lineBytes = anyBytes.map((bytes) => bytes.replace(/[\r\n]/g, ""));
export const word = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_"), minLength: 1, maxLength: 20 });
