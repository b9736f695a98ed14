import { MAX_CACHED_TOKENS } from "../../src/adapters/cache/token-memory.ts";
import type { TokenResult } from "../../src/core/token/token-request.ts";
import type { TokenService } from "../../src/core/token/token-service.ts";
import { RESPONSE_BUDGET_MS } from "../../src/http/issue-token.ts";
import type { Random } from "../lib/random.ts";
import { createFleet } from "./fleet.ts";
import { createIsolate, type ExchangeCounts } from "./isolate.ts";
import { DAILY_CURVE, HOUR_MS, locationShares, type Model, requestsPerUserAndDay } from "./model.ts";
import type { PlannedRequest } from "./plan-requests.ts";
import { createSimulatedKv } from "./simulated-kv.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** Where a request got its token: each gets it from one of these. */
export type ServedFrom = "memory" | "kv" | "exchange" | "exchange of another request" | "stale";

export type Counts = {
  readonly requests: number;
  readonly servedFrom: Readonly<Record<ServedFrom, number>>;
  /** More than the requests that got their token from one, as tokens are renewed after a response too. */
  readonly exchanges: number;
  readonly kvReads: number;
  readonly kvWrites: number;
  /** Second writes to one key within a second. */
  readonly kvRefusedWrites: number;
};

export type RunOptions = {
  readonly model: Model;
  /** Users in all, and how many of them sent the requests. */
  readonly users: number;
  readonly sampledUsers: number;
  readonly random: Random;
  /** Called now and then with the number of requests that have been sent. */
  readonly onProgress?: (sent: number) => void;
};

const PROGRESS_INTERVAL = 10_000;

/**
 * Sends requests, in their order, to the real token service in simulated isolates. Of a sample, isolates get the memory
 * that is its share, so that tokens are evicted as often as with all users.
 */
export async function runRequests(requests: readonly PlannedRequest[], options: RunOptions): Promise<Counts> {
  const { model, users, sampledUsers, random, onProgress } = options;
  const clock = createVirtualClock(requests[0]?.at ?? 0);
  const kv = createSimulatedKv(clock, model.kvPropagationSeconds);
  const exchangeCounts: ExchangeCounts = { exchanges: 0 };
  const servedFrom = { memory: 0, kv: 0, exchange: 0, "exchange of another request": 0, stale: 0 };
  const maxTokens = Math.max(1, Math.round((MAX_CACHED_TOKENS * sampledUsers) / users));
  const jitter = random.forPart("jitter").next;
  const shares = locationShares(model);
  const requestsPerSecond = (users * requestsPerUserAndDay(model)) / 86_400;

  const fleet = createFleet({
    model,
    createIsolate(location) {
      const store = model.hasKv ? kv.storeAt(location) : undefined;
      return createIsolate({ clock, store, maxTokens, counts: exchangeCounts, random: jitter });
    },
    requestsPerSecond: (location) => requestsPerSecond * (shares[location] ?? 0) * curveAt(clock.now()),
    othersShare: 1 - sampledUsers / users,
    now: clock.now,
    random: random.forPart("fleet"),
  });

  const responses: Promise<void>[] = [];
  for (const [sent, { at, user, location }] of requests.entries()) {
    if (sent % PROGRESS_INTERVAL === 0) onProgress?.(sent);
    await clock.advanceTo(at);
    responses.push(send(fleet.serviceAt(location), user));
  }
  await clock.runOut();
  await Promise.all(responses);

  const { reads, writes, refusedWrites } = kv.counts;
  const { exchanges } = exchangeCounts;
  return {
    requests: requests.length,
    servedFrom,
    exchanges,
    kvReads: reads,
    kvWrites: writes,
    kvRefusedWrites: refusedWrites,
  };

  async function send(getToken: TokenService, user: number): Promise<void> {
    const result = await getToken({
      grant: { userId: String(user), durationSeconds: model.tokenSeconds, scope: undefined },
      countExchange: async () => true,
      deadline: clock.now() + RESPONSE_BUDGET_MS,
      waitUntil: () => undefined,
    });
    servedFrom[servedFromFor(result)] += 1;
  }
}

function curveAt(time: number): number {
  return DAILY_CURVE[Math.floor(time / HOUR_MS) % DAILY_CURVE.length] ?? 0;
}

function servedFromFor({ cacheOutcome, timings }: TokenResult): ServedFrom {
  switch (cacheOutcome) {
    case "hit":
      return timings.cacheMs === undefined ? "memory" : "kv";
    case "miss":
      return "exchange";
    case "collapsed":
      return "exchange of another request";
    case "stale":
      return "stale";
  }
}
