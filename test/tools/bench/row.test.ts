import { describe, expect, it } from "vitest";
import { type Budget, isMet, type Row, spreadFor } from "../../../tools/bench/row.ts";

function isMetBy(rule: Budget["rule"], ...values: readonly number[]): boolean {
  const value = spreadFor(values);
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
  ] as const)("decides whether a budget of %s 10 is met by %d: %s", (rule, value, expected) => {
    expect(isMetBy(rule, value)).toBe(expected);
  });

  it("compares a budget with the median, not with the best or the worst round", () => {
    expect(isMetBy("at least", 2, 10, 11)).toBe(true);
    expect(isMetBy("at least", 2, 9, 11)).toBe(false);
  });
});

describe("spreadFor", () => {
  it("takes as median the middle of an odd number of values, by size and not as strings", () => {
    expect(spreadFor([10, 9, 100])).toEqual({ median: 10, min: 9, max: 100 });
  });

  it("takes as median the mean of the middle two of an even number of values", () => {
    expect(spreadFor([4, 1, 2, 9])).toEqual({ median: 3, min: 1, max: 9 });
  });

  it("takes as median a single value as it is", () => {
    expect(spreadFor([7])).toEqual({ median: 7, min: 7, max: 7 });
  });

  it("does not reorder the values that it takes the median of", () => {
    const values = [3, 1, 2];
    spreadFor(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("refuses to take the median of an empty list", () => {
    expect(() => spreadFor([])).toThrow(RangeError);
  });
});
