import type { ExchangeTotals } from "./oracle.ts";
import { MAX_GROWTH_KIB, type Residence } from "./process-checks.ts";
import type { FailedCheck, Group, Tally } from "./recorder.ts";
import { MAX_RESPONSE_MS } from "./response-check.ts";

/** The results of a run. */
export type SoakReport = {
  readonly seed: number;
  /** From the first request to the last check. */
  readonly seconds: number;
  /** Whether it was ended before its time. */
  readonly wasStopped: boolean;
  readonly tally: Tally;
  readonly exchanges: ExchangeTotals;
  /** Of the places, in their order; empty where it could not be measured. */
  readonly residences: readonly Residence[];
  readonly kv: { readonly reads: number; readonly writes: number };
  readonly failures: readonly FailedCheck[];
};

/** Beyond so many, failures tell nothing new. */
const MAX_SHOWN_FAILURES = 50;

const GROUPS: readonly (readonly [title: string, group: Group])[] = [
  ["requests", "request"],
  ["outcomes", "outcome"],
  ["tokens by Cache-Status", "cache status"],
  ["errors", "error"],
  ["clients that left, seen by", "left"],
  ["tokens tried at Coze", "token"],
  ["faults armed", "armed"],
  ["exchanges struck by", "struck"],
  ["periods at Coze", "period"],
  ["periods at KV", "KV"],
];

/** The report as a table of counts and a list of failed checks. */
export function describeReport(report: SoakReport): string {
  const { tally, exchanges, residences, kv, failures } = report;
  const mebibytes = (kibibytes: number) => `${Math.round(kibibytes / 1024)} MiB`;
  return [
    ...GROUPS.flatMap(([title, group]) => section(title, tally.total(group), tally.counts(group))),
    ...section("exchanges", `${exchanges.attempts} attempts`, [
      ["at most, by the life of tokens", exchanges.bound],
      ["tokens issued", exchanges.issued],
    ]),
    ...section("KV requests", "", [
      ["reads", kv.reads],
      ["writes", kv.writes],
    ]),
    ...section(
      "milliseconds to a response",
      `at most ${MAX_RESPONSE_MS}`,
      [0.5, 0.9, 0.99, 0.999, 1].map((share) => [`p${share * 100}`, tally.latencyMs(share)]),
    ),
    ...section(
      "memory of workerd",
      `may grow by ${mebibytes(MAX_GROWTH_KIB)}`,
      residences.map(({ afterWarmUpKiB, atEndKiB }, index) => [
        `place ${index + 1}`,
        `${mebibytes(afterWarmUpKiB)} after the warm-up, ${mebibytes(atEndKiB)} at the end`,
      ]),
    ),
    "",
    ...describeFailures(failures),
    describeVerdict(report),
  ].join("\n");
}

function section(
  title: string,
  total: number | string,
  rows: readonly (readonly [name: string, value: number | string])[],
): string[] {
  return [line(title, total, ""), ...rows.map(([name, value]) => line(name, value, "  "))];
}

function line(name: string, value: number | string, indent: string): string {
  const shown = typeof value === "number" ? value.toLocaleString("en") : value;
  return `${indent}${name}`.padEnd(36) + shown;
}

function describeFailures(failures: readonly FailedCheck[]): string[] {
  const shown = failures
    .slice(0, MAX_SHOWN_FAILURES)
    .map(({ check, requestId, message }) => `FAILED ${check}: ${[requestId, message].filter(Boolean).join(" ")}`);
  const hidden = failures.length - shown.length;
  return hidden > 0 ? [...shown, `… and ${hidden} more`] : shown;
}

function describeVerdict({ seed, seconds, wasStopped, failures }: SoakReport): string {
  const how = wasStopped ? "stopped" : "ended";
  const what = failures.length === 0 ? "every check held" : `${failures.length} failures`;
  return `The run ${how} after ${seconds} s: ${what}. --seed ${seed} plans the same faults and requests.`;
}
