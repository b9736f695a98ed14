import { expect, it } from "vitest";
import { invalid, issuesAt } from "../../../src/core/issue.ts";

it.each([
  ["", "CALLERS"],
  ["name", "CALLERS.name"],
  ["claims.role.pattern", "CALLERS.claims.role.pattern"],
  ["[1].issuer", "CALLERS[1].issuer"],
])("puts an issue at %j under the path of the value around it", (path, expected) => {
  expect(issuesAt("CALLERS", invalid("is wrong", path))).toEqual([{ path: expected, message: "is wrong" }]);
});

it("gives an issue the path of the whole input by default", () => {
  expect(invalid("is wrong")).toEqual({ issues: [{ path: "", message: "is wrong" }] });
});
