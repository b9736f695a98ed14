import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { type RequestHeaders, sendLoad } from "./load.ts";
import type { Figures, Measurement } from "./row.ts";
import { spreadOf } from "./statistics.ts";

/** A Worker that takes part, and what it is sent in each round. */
export type Contestant = {
  readonly worker: { readonly url: string; readonly cpuMs: () => Promise<number> };
  readonly nextRequests: () => readonly RequestHeaders[];
  readonly amount: number;
};

export type Contest = {
  readonly ours: Contestant;
  readonly baseline: Contestant;
  readonly connections: number;
  /** What the ratio is of: how many times cheaper, or faster, ours is than the baseline. */
  readonly ratioOf: keyof typeof RATIOS;
};

/** What both did, one after the other. */
export type Round = { readonly ours: Figures; readonly baseline: Figures };

/** What goes on after the last answer of a round, such as writing to KV, ends within this time. */
const SETTLE_MS = 50;

const RATIOS = {
  cpu: ({ ours, baseline }) => baseline.cpuMicroseconds / ours.cpuMicroseconds,
  throughput: ({ ours, baseline }) => ours.requestsPerSecond / baseline.requestsPerSecond,
} satisfies Record<string, (round: Round) => number>;

/**
 * Lets two Workers do the same work by turns, so that whatever else the machine does falls on both alike; each begins
 * every other round. The * measurement is the median of the ratios of the rounds, after those for warm-up.
 */
export async function compare(
  contest: Contest,
  { effort, signal }: Pick<Bench, "effort" | "signal">,
): Promise<Measurement> {
  const rounds: Round[] = [];
  for (let round = 0; round < effort.warmUpRounds + effort.rounds; round += 1) {
    const played = await playRound(contest, round, signal);
    if (round >= effort.warmUpRounds) rounds.push(played);
  }
  return {
    value: spreadOf(rounds.map(RATIOS[contest.ratioOf])),
    ours: mediansOf(rounds.map(({ ours }) => ours)),
    baseline: mediansOf(rounds.map(({ baseline }) => baseline)),
  };
}

async function playRound(contest: Contest, round: number, signal: AbortSignal): Promise<Round> {
  const { ours, baseline, connections } = contest;
  const oursBegins = round % 2 === 0;
  const first = await play(oursBegins ? ours : baseline, connections, signal);
  const second = await play(oursBegins ? baseline : ours, connections, signal);
  return oursBegins ? { ours: first, baseline: second } : { ours: second, baseline: first };
}

async function play(
  { worker, nextRequests, amount }: Contestant,
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

function mediansOf(figures: readonly Figures[]): Figures {
  return {
    cpuMicroseconds: spreadOf(figures.map(({ cpuMicroseconds }) => cpuMicroseconds)).median,
    requestsPerSecond: spreadOf(figures.map(({ requestsPerSecond }) => requestsPerSecond)).median,
  };
}
