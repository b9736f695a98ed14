import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearNameIssues } from "../../../src/config/near-names.ts";
import { SETTING_NAMES } from "../../../src/config/settings.ts";

const known = fc.constantFrom(...SETTING_NAMES);
const letter = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

/** A name with one letter changed, dropped, added, or swapped with the next. */
const slip = known.chain((name) =>
  fc.tuple(fc.nat(name.length - 1), letter).map(([at, other]) => {
    const [before, here, after] = [name.slice(0, at), name.slice(at, at + 1), name.slice(at + 1)];
    return {
      name,
      mistyped: [
        before + other + after,
        before + after,
        before + other + here + after,
        before + after.slice(0, 1) + here + after.slice(1),
      ],
    };
  }),
);

describe("a name in the environment", () => {
  it("reports an unknown setting with the known one that it is one slip from, in any case", () => {
    fc.assert(
      fc.property(slip, fc.boolean(), ({ name, mistyped }, isLower) => {
        for (const each of mistyped.map((text) => (isLower ? text.toLowerCase() : text))) {
          const expected = SETTING_NAMES.includes(each)
            ? []
            : [{ path: each, message: `is not a setting; did you mean ${name}?` }];
          expect(nearNameIssues({ [each]: 1 }, SETTING_NAMES)).toEqual(expected);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
