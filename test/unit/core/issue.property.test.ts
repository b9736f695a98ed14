import fc from "fast-check";
import { expect, it } from "vitest";
import { isProblem } from "../../../src/core/issue.ts";

it("knows a problem by its member, whatever else it is given", () => {
  const members = fc.dictionary(fc.constantFrom("problems", "error", ""), fc.anything());
  fc.assert(
    fc.property(members, fc.string(), (rest, problem) => {
      expect(isProblem({ ...rest, problem })).toBe(true);
      expect(isProblem(rest)).toBe(false);
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined)), (value) => {
      expect(isProblem(value)).toBe(false);
    }),
  );
});
