import { describe, expect, it } from "vitest";
import { FAULT_KINDS } from "../../../tools/soak/fault-schedule.ts";
import { describeReport } from "../../../tools/soak/report.ts";
import { runSoak, type SoakOptions } from "../../../tools/soak/soak.ts";

/** The smallest run that shows each kind of fault and of response. */
const SHORT: SoakOptions = {
  seconds: 4,
  users: 24,
  concurrency: 24,
  seed: 20_261_120,
  periodMs: 400,
  durationsSeconds: [8, 20, 120, undefined],
  upstreamTimeoutsMs: [500, 500],
};

describe("a short soak run", () => {
  it("passes every check in a short soak run", { timeout: 120_000 }, async () => {
    const report = await runSoak(SHORT, { stop: new AbortController().signal, onProgress: () => undefined });
    const text = describeReport(report);
    expect(report.failures, text).toEqual([]);

    const { tally } = report;
    for (const ending of ["hit", "miss"]) expect(tally.of("cache status", ending), text).toBeGreaterThan(0);
    for (const group of ["error", "left", "armed"] as const) expect(tally.total(group), text).toBeGreaterThan(0);
    expect(tally.of("token", "rejected by Coze"), text).toBeGreaterThan(0);
    expect(FAULT_KINDS.filter((kind) => tally.of("struck", kind) > 0).length, text).toBeGreaterThan(8);
    expect(report.exchanges.issued, text).toBeGreaterThan(0);
  });
});
