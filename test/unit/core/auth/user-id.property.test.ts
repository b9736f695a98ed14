import fc from "fast-check";
import { expect, it } from "vitest";
import { parseUserId } from "../../../../src/core/auth/user-id.ts";

const VISIBLE = Array.from({ length: 0x7e - 0x20 + 1 }, (_, index) => String.fromCharCode(0x20 + index));
const FOREIGN = [
  "\0",
  "\t",
  "\n",
  "\r",
  "\x1f",
  "\x7f",
  "\x80",
  "\u00a0",
  "é",
  "用",
  "👩",
  "\ufeff",
  "\u2028",
  "\ud800",
];

/** Any UTF-16 at all, broken pairs included. */
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });

/** Texts of visible ASCII: of all sorts, about as long as can be, and with spaces at their ends. */
const visibleText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...VISIBLE), size: "medium" }),
  fc.tuple(fc.constantFrom(...VISIBLE), fc.integer({ min: 120, max: 136 })).map(([unit, count]) => unit.repeat(count)),
  fc.tuple(fc.constantFrom(" ", "  ", "a "), fc.string(), fc.constantFrom(" ", "b")).map((parts) => parts.join("")),
);

it("accepts exactly user ids of 1 to 128 visible ASCII characters and inner spaces, unchanged", () => {
  fc.assert(
    fc.property(fc.oneof(visibleText, anyText), (header) => {
      if (isUserId(header)) expect(parseUserId(header)).toBe(header);
      else expect(codeOfRefusal(header)).toBe("invalid_request");
    }),
    { numRuns: 500 },
  );
});

it("refuses a user id with a single character of any other kind, wherever it stands", () => {
  fc.assert(
    fc.property(visibleText, fc.constantFrom(...FOREIGN), visibleText, (before, foreign, after) => {
      expect(codeOfRefusal(before + foreign + after)).toBe("invalid_request");
    }),
  );
});

/** The rule once more, without a pattern. */
function isUserId(text: string): boolean {
  const isVisible = Array.from(text).every((character) => VISIBLE.includes(character));
  return isVisible && text.length >= 1 && text.length <= 128 && !text.startsWith(" ") && !text.endsWith(" ");
}

/** The code of the error that the header is refused with; what it is read as otherwise. */
function codeOfRefusal(header: string): unknown {
  try {
    return { readAs: parseUserId(header) };
  } catch (error) {
    return (error as { code?: unknown }).code; // a TokenError has one; for anything else it is undefined
  }
}
