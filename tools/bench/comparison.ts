import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { type RequestHeaders, sendLoad } from "./load.ts";
import { type Figures, type Measurement, spreadFor } from "./row.ts";

/** One of two Workers to compare, and the requests that it gets in each round. */
export type Variant = {
  readonly worker: { readonly url: string; readonly cpuMs: () => Promise<number> };
  readonly nextRequests: () => readonly RequestHeaders[];
  readonly amount: number;
};

export type Comparison = {
  readonly ours: Variant;
  readonly baseline: Variant;
  readonly connections: number;
  /** What the ratio is of: how many times cheaper, or faster, ours is than the baseline. */
  readonly ratioOf: keyof typeof RATIOS;
};

/** The figures of both, one after the other. */
export type Round = { readonly ours: Figures; readonly baseline: Figures };

/** Work after the last response of a round, such as writing to KV, ends within this time. */
const SETTLE_MS = 50;

const RATIOS = {
  cpu: ({ ours, baseline }) => baseline.cpuMicroseconds / ours.cpuMicroseconds,
  throughput: ({ ours, baseline }) => ours.requestsPerSecond / baseline.requestsPerSecond,
} satisfies Record<string, (round: Round) => number>;

/**
 * Lets two Workers do the same work by turns, so that whatever else the machine does affects both alike; each begins
 * every other round. The measurement is the median of the ratios of the rounds, after those for warm-up.
 */
export async function compare(
  comparison: Comparison,
  { effort, signal }: Pick<Bench, "effort" | "signal">,
): Promise<Measurement> {
  const rounds: Round[] = [];
  for (let round = 0; round < effort.warmUpRounds + effort.rounds; round += 1) {
    const measured = await measureRound(comparison, round, signal);
    if (round >= effort.warmUpRounds) rounds.push(measured);
  }
  return {
    value: spreadFor(rounds.map(RATIOS[comparison.ratioOf])),
    ours: medianFigures(rounds.map(({ ours }) => ours)),
    baseline: medianFigures(rounds.map(({ baseline }) => baseline)),
  };
}

async function measureRound(comparison: Comparison, round: number, signal: AbortSignal): Promise<Round> {
  const { ours, baseline, connections } = comparison;
  const isOursFirst = round % 2 === 0;
  const first = await measure(isOursFirst ? ours : baseline, connections, signal);
  const second = await measure(isOursFirst ? baseline : ours, connections, signal);
  return isOursFirst ? { ours: first, baseline: second } : { ours: second, baseline: first };
}

async function measure(
  { worker, nextRequests, amount }: Variant,
  connections: number,
  signal: AbortSignal,
): Promise<Figures> {
  const requests = nextRequests();
  const cpuBeforeMs = await worker.cpuMs();
  const seconds = await sendLoad({ url: worker.url, requests, amount, connections, signal });
  await sleep(SETTLE_MS);

  const cpuMs = (await worker.cpuMs()) - cpuBeforeMs;
  return { cpuMicroseconds: (cpuMs * 1000) / amount, requestsPerSecond: amount / seconds };
}

/** The medians of the figures of some rounds. */
export function medianFigures(figures: readonly Figures[]): Figures {
  return {
    cpuMicroseconds: spreadFor(figures.map(({ cpuMicroseconds }) => cpuMicroseconds)).median,
    requestsPerSecond: spreadFor(figures.map(({ requestsPerSecond }) => requestsPerSecond)).median,
  };
}
