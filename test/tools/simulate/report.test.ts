import { describe, expect, it } from "vitest";
import { priceOf } from "../../../tools/simulate/prices.ts";
import { describeAmount, reportTable } from "../../../tools/simulate/report.ts";

describe("the price of a month", () => {
  it("charges nothing within the free plan", () => {
    const atLimit = { requests: 3_000_000, kvReads: 3_000_000, kvWrites: 30_000, exchanges: 30_000 };
    expect(priceOf(atLimit)).toMatchObject({ plan: "free", total: 0, totalFromDecember: 0 });
    for (const more of [{ requests: 3_000_030 }, { kvReads: 3_000_030 }, { kvWrites: 30_030 }]) {
      expect(priceOf({ ...atLimit, ...more })).toMatchObject({ plan: "paid", total: 5 });
    }
  });

  it("charges what the paid plan does not include", () => {
    const { total, parts } = priceOf({ requests: 110e6, kvReads: 30e6, kvWrites: 11e6, exchanges: 12e6 });
    // CPU: 110 · 0.12 + 30 · 0.2 + 12 · 0.9 = 30 million milliseconds, all included.
    expect(parts.requests).toBeCloseTo(30, 9);
    expect(parts.kvReads).toBeCloseTo(10, 9);
    expect(parts.kvWrites).toBeCloseTo(50, 9);
    expect(parts.cpuMs).toBeCloseTo(0, 9);
    expect(parts.logs).toBeCloseTo(54, 9);
    expect(total).toBeCloseTo(149, 9);
  });

  it("charges logs by their size from December", () => {
    // 150 GB, of which 50 are included, and 150 · 7 / 30 = 35 GB-months, of which 12 are.
    const { total, parts, totalFromDecember } = priceOf({ requests: 1e8, kvReads: 0, kvWrites: 0, exchanges: 0 });
    expect(totalFromDecember - (total - parts.logs)).toBeCloseTo(100 * 0.25 + 23 * 0.1, 9);
  });

  it("charges milliseconds of CPU", () => {
    // 1000 · 0.12 + 100 · 0.2 + 100 · 0.9 = 230 million, of which 30 are included.
    expect(priceOf({ requests: 1e9, kvReads: 1e8, kvWrites: 0, exchanges: 1e8 }).parts.cpuMs).toBeCloseTo(4, 9);
  });
});

describe("the table", () => {
  it.each([
    [429, "429"],
    [44_330, "44,300"],
    [999_499, "999,000"],
    [999_500, "1 million"],
    [441_561_535, "442 million"],
  ])("shows the amount %i as %s", (amount, text) => {
    expect(describeAmount(amount)).toBe(text);
  });

  it("says what was simulated of each number of users once", () => {
    const counts = {
      requests: 200,
      servedFrom: { memory: 150, kv: 30, exchange: 20, "exchange of another request": 0, stale: 0 },
      exchanges: 20,
      kvReads: 50,
      kvWrites: 20,
      kvRefusedWrites: 0,
    };
    const parts = { requests: 0, cpuMs: 0, kvReads: 0, kvWrites: 0, logs: 0 };
    const price = { plan: "paid", total: 12.345, totalFromDecember: 1234.5, parts } as const;
    const month = { users: 5000, sample: { users: 100, days: 3 }, counts, month: counts, price };
    const lines = reportTable([
      { ...month, tokenSeconds: 900 },
      { ...month, tokenSeconds: 3600 },
    ]).split("\n");

    expect(lines.filter((line) => /5,000 .* 3600 s .* 75 % .* paid .* 12\.35 │ +1235 /.test(line))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("100 of them simulated for 3 days"))).toHaveLength(1);
  });
});
