import { describe, expect, it } from "vitest";
import { type Budget, isMet, type Row } from "../../../tools/bench/row.ts";
import { spreadOf } from "../../../tools/bench/statistics.ts";

function isMetBy(rule: Budget["rule"], ...values: readonly number[]): boolean {
  const value = spreadOf(values);
  const row: Row = { name: "row", what: "a row", budget: { rule, limit: 10 }, measure: async () => ({ value }) };
  return isMet({ row, measurement: { value } });
}

describe("a budget", () => {
  it.each([
    ["at least", 9.99, false],
    ["at least", 10, true],
    ["at most", 10, true],
    ["at most", 10.01, false],
    ["exactly", 9, false],
    ["exactly", 10, true],
    ["exactly", 11, false],
  ] as const)("of %s 10 judges %d: %s", (rule, value, expected) => {
    expect(isMetBy(rule, value)).toBe(expected);
  });

  it("judges the median, not the best or the worst round", () => {
    expect(isMetBy("at least", 2, 10, 11)).toBe(true);
    expect(isMetBy("at least", 2, 9, 11)).toBe(false);
  });
});
