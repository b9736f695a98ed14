import { describe, expect, it } from "vitest";
import { spreadOf } from "../../../tools/bench/statistics.ts";

describe("spreadOf", () => {
  it("takes the middle of an odd number of values, by size and not by text", () => {
    expect(spreadOf([10, 9, 100])).toEqual({ median: 10, min: 9, max: 100 });
  });

  it("takes the mean of the middle two of an even number", () => {
    expect(spreadOf([4, 1, 2, 9])).toEqual({ median: 3, min: 1, max: 9 });
  });

  it("takes a single value as it is", () => {
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 });
  });

  it("leaves what it is given in its order", () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("refuses to sum up nothing", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});
