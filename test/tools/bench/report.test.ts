import { describe, expect, it } from "vitest";
import { describeValue, reportTable } from "../../../tools/bench/report.ts";
import type { MeasuredRow } from "../../../tools/bench/row.ts";

const ratio: MeasuredRow = {
  row: {
    name: "memory-hit",
    what: "a token from memory",
    budget: { rule: "at least", limit: 0.75 },
    measure: () => Promise.reject(),
  },
  measurement: {
    value: { median: 0.8149, min: 0.79, max: 12.34 },
    ours: { cpuMicroseconds: 81.4, requestsPerSecond: 9876.5 },
    baseline: { cpuMicroseconds: 66.6, requestsPerSecond: 10_321 },
  },
};

const count: MeasuredRow = {
  row: {
    name: "bundle",
    what: "a bundle",
    budget: { rule: "at most", limit: 64, unit: "KiB" },
    measure: () => Promise.reject(),
  },
  measurement: { value: { median: 65, min: 65, max: 65 } },
};

describe("the table", () => {
  it("prints the measurements of the Worker and its baseline beside the budget", () => {
    const table = reportTable([ratio]);
    for (const text of ["memory-hit", "81 µs CPU", "9877/s", "67 µs CPU", "10321/s", "0.81 (0.79 to 12.3)", "≥ 0.75"]) {
      expect(table).toContain(text);
    }
    expect(table).toContain("yes");
  });

  it("prints the unit of a measurement, and where a budget is not met", () => {
    const table = reportTable([count]);
    expect(table).toContain("65 KiB");
    expect(table).toContain("≤ 64 KiB");
    expect(table).toContain("NO");
  });
});

describe("a value", () => {
  it("prints a single measured value without a range", () => {
    expect(describeValue(count)).toBe("65");
  });
});
