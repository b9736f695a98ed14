import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Grant } from "../../../../src/core/grant/grant.ts";
import { createCacheKeyFor } from "../../../../src/core/token/cache-key.ts";
import { EXCHANGE_BUDGET_MS } from "../../../../src/core/token/exchange.ts";
import type { CachedToken } from "../../../../src/core/token/freshness.ts";
import { type AccessToken, secondsLeft } from "../../../../src/core/token/token.ts";
import type { TokenResult } from "../../../../src/core/token/token-request.ts";
import { createTokenService } from "../../../../src/core/token/token-service.ts";
import { TokenError } from "../../../../src/core/token-error.ts";
import { isFresh, isUsable, secondsBeforeRenewal } from "../../../support/freshness-oracle.ts";

/** What happens in a simulation, one step after the other. */
type Step =
  | { readonly do: "wait"; readonly ms: number }
  | {
      readonly do: "ask";
      readonly isolate: number;
      readonly user: string;
      readonly rejects: Rejection;
      readonly times: number;
    }
  | { readonly do: "forget"; readonly isolate: number; readonly user: string };

/** A client has the token refused that it was given last, or the one before, or one that nobody knows. */
type Rejection = "none" | "last" | "older" | "unknown";

/** How Coze takes the next exchange. One that is left never ends, like the work of a request that is gone. */
type Treatment = {
  readonly ms: number;
  readonly outcome: "issues" | "is down" | "breaks" | "is left";
  readonly lifetime: number;
};

/** How the store takes the next read: it may lag behind, and may find nothing. */
type Read = { readonly ms: number; readonly lagMs: number; readonly finds: boolean };

type Plan = {
  readonly steps: readonly Step[];
  readonly treatments: readonly Treatment[];
  readonly reads: readonly Read[];
};

/** One request, from its arrival on. */
type Request = {
  readonly isolate: number;
  readonly user: string;
  readonly askedMs: number;
  readonly rejected: AccessToken | undefined;
  /** What the isolate cached in memory when the request came. */
  readonly held: CachedToken | undefined;
  result?: TokenResult;
  error?: unknown;
  /** What the isolate cached when the request ended. */
  heldAfter?: CachedToken | undefined;
  endedMs?: number;
};

type Exchange = {
  readonly isolate: number;
  readonly user: string;
  readonly startedMs: number;
  readonly held: AccessToken | undefined;
  readonly outcome: Treatment["outcome"];
  /** What the error says, if it is to be one. */
  readonly failure: string;
  readonly endedMs: number;
  issued?: AccessToken;
};

type Served = Request & { readonly result: TokenResult; readonly endedMs: number };

const START_MS = 1_700_000_000_000;
const ISOLATES = [0, 1];
const REQUEST_BUDGET_MS = 12_000;
const SOURCE = { clientId: "1", audience: "api.coze.cn", tokenEndpoint: "https://api.coze.cn/token" };

const user = fc.constantFrom("ada", "ada", "bob");
const isolate = fc.constantFrom(0, 0, 1);
const ask: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("ask" as const),
  isolate,
  user,
  rejects: fc.constantFrom<Rejection[]>("none", "none", "none", "last", "last", "older", "unknown"),
  times: fc.constantFrom(1, 1, 1, 3),
});
const wait: fc.Arbitrary<Step> = fc
  .oneof(between(1, 3000), between(1000, 40_000), between(10_000, 100_000), between(30_000, 900_000))
  .map((ms) => ({ do: "wait", ms }));
const forget: fc.Arbitrary<Step> = fc.record({ do: fc.constant("forget" as const), isolate, user });
const treatment: fc.Arbitrary<Treatment> = fc.record({
  ms: fc.oneof(between(1, 500), between(1, 10_000)),
  outcome: fc.oneof(
    { weight: 12, arbitrary: fc.constant("issues" as const) },
    { weight: 6, arbitrary: fc.constant("is down" as const) },
    { weight: 2, arbitrary: fc.constantFrom("breaks" as const, "is left" as const) },
  ),
  lifetime: fc.constantFrom(1, 5, 12, 18, 60, 60, 100, 100, 300, 900),
});
const read: fc.Arbitrary<Read> = fc.record({
  ms: fc.constantFrom(1, 5, 1000),
  lagMs: fc.constantFrom(0, 0, 60_000),
  finds: fc.constantFrom(true, true, true, false),
});
const plan: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(
    fc.oneof({ weight: 10, arbitrary: ask }, { weight: 10, arbitrary: wait }, { weight: 1, arbitrary: forget }),
    { maxLength: 100, size: "max" },
  ),
  treatments: fc.array(treatment, { minLength: 1, size: "medium" }),
  reads: fc.array(read, { minLength: 1 }),
});

const grantOf = (name: string): Grant => ({ userId: name, durationSeconds: 900, scope: undefined });
const keyOf = (name: string) => createCacheKeyFor(SOURCE)(grantOf(name));
const inSeconds = (ms: number) => Math.floor(ms / 1000);

describe("whatever comes, a token service", () => {
  it("serves tokens that Coze issued for this very user", async () => {
    await forAnyPlan(plan, ({ results, issued }) => {
      for (const { user: name, result } of results) {
        expect(issued.get(result.token.accessToken)).toEqual({ user: name, token: result.token });
      }
    });
  });

  it("serves an expired token only when Coze has just issued it so", async () => {
    await forAnyPlan(plan, ({ results }) => {
      for (const { result, endedMs } of results) {
        expect(result.ttlSeconds).toBe(secondsLeft(result.token, inSeconds(endedMs)));
        if (result.cacheOutcome === "hit") expect(result.ttlSeconds).toBeGreaterThan(0);
        if (result.cacheOutcome === "stale") expect(result.ttlSeconds).toBeGreaterThanOrEqual(5);
      }
    });
  });

  it("has at most one exchange under way for a user", async () => {
    await forAnyPlan(plan, ({ exchanges }) => {
      for (const [earlier, later] of neighbours(exchanges)) {
        // The single flight of an exchange that is left ends at its deadline.
        const endedMs = earlier.outcome === "is left" ? earlier.startedMs + EXCHANGE_BUDGET_MS : earlier.endedMs;
        expect(later.startedMs).toBeGreaterThanOrEqual(endedMs);
      }
    });
  });

  it("never serves a rejected token to the request that rejects it, once it is ten seconds old", async () => {
    await forAnyPlan(plan, ({ results }) => {
      for (const { result, rejected, askedMs } of results) {
        if (rejected === undefined || inSeconds(askedMs) - rejected.issuedAt < 10) continue;
        expect(result.token.accessToken).not.toBe(rejected.accessToken);
      }
    });
  });

  it("lets no request wait while a fresh token that was not rejected is cached", async () => {
    await forAnyPlan(plan, ({ requests }) => {
      for (const { held, rejected, askedMs, result, endedMs } of requests) {
        if (held === undefined || !isFresh(held.token, inSeconds(askedMs))) continue;
        if (held.token.accessToken === rejected?.accessToken && inSeconds(askedMs) - rejected.issuedAt >= 10) continue;
        expect({ result, endedMs }).toMatchObject({
          result: { token: held.token, cacheOutcome: "hit" },
          endedMs: askedMs,
        });
      }
    });
  });

  it("fails a request only as Coze does or when its time is up, and only without a usable cached token", async () => {
    await forAnyPlan(plan, ({ requests, exchanges }) => {
      for (const { isolate: index, user: name, error, askedMs, endedMs = 0, heldAfter, rejected } of requests) {
        if (error === undefined) continue;
        const cause = exchanges.find((each) => error instanceof Error && error.message === each.failure);
        if (cause === undefined)
          expect([error, endedMs]).toMatchObject([{ code: "upstream_timeout" }, askedMs + 12_000]);
        else expect(cause).toMatchObject({ isolate: index, user: name, endedMs });
        expect(endedMs).toBeGreaterThan(askedMs);
        const isWanted = heldAfter !== undefined && heldAfter.token !== rejected;
        expect(isWanted && isUsable(heldAfter.token, inSeconds(endedMs))).toBe(false);
      }
    });
  });

  it("ends every request within twelve seconds, except those whose own work is lost", async () => {
    await forAnyPlan(plan, ({ requests }) => {
      for (const { askedMs, endedMs = askedMs } of requests) expect(endedMs - askedMs).toBeLessThanOrEqual(12_000);
    });
  });

  it("ends every request some time, except those whose own work is lost", async () => {
    await forAnyPlan(plan, ({ requests, exchanges }) => {
      const left = exchanges.filter(({ outcome }) => outcome === "is left");
      expect(requests.filter(({ endedMs }) => endedMs === undefined).length).toBeLessThanOrEqual(left.length);
    });
  });
});

describe("the exchanges of a token service", () => {
  const withoutForgetting = plan.map(({ steps, ...rest }) => ({
    ...rest,
    steps: steps.filter((step) => step.do !== "forget"),
  }));
  const withoutRejecting = withoutForgetting.map(({ steps, ...rest }) => ({
    ...rest,
    steps: steps.map((step) => (step.do === "ask" ? { ...step, rejects: "none" as const } : step)),
  }));

  it("renews a token that nobody rejected only once it is three quarters old or near its end", async () => {
    await forAnyPlan(withoutRejecting, ({ exchanges }) => {
      for (const { held, startedMs } of exchanges) {
        if (held !== undefined) expect(startedMs / 1000).toBeGreaterThanOrEqual(firstRenewalOf(held));
      }
    });
  });

  it("waits ten seconds after Coze issued a token before the next exchange, unless it is short-lived", async () => {
    await forAnyPlan(withoutForgetting, ({ exchanges }) => {
      for (const [{ issued }, later] of neighbours(exchanges)) {
        if (issued !== undefined)
          expect(later.startedMs / 1000).toBeGreaterThanOrEqual(Math.min(issued.issuedAt + 10, firstRenewalOf(issued)));
      }
    });
  });

  it("exchanges with no usable cached token only for users not served before, when none is rejected", async () => {
    await forAnyPlan(withoutRejecting, ({ exchanges, results }) => {
      for (const { isolate: index, user: name, startedMs, held } of exchanges) {
        const earlier = results.filter(
          (each) => each.isolate === index && each.user === name && each.endedMs <= startedMs,
        );
        if (held === undefined) expect(earlier).toEqual([]);
      }
    });
  });

  it("waits 30 seconds after a failed exchange, or until 5 before the end of the cached token", async () => {
    await forAnyPlan(withoutRejecting, ({ exchanges }) => {
      for (const [earlier, { held, startedMs }] of neighbours(exchanges)) {
        if (earlier.outcome !== "is down" && earlier.outcome !== "breaks") continue;
        if (held === undefined || held !== earlier.held || !isUsable(held, inSeconds(earlier.endedMs))) continue;
        expect(inSeconds(startedMs)).toBeGreaterThanOrEqual(
          Math.min(inSeconds(earlier.endedMs) + 30, held.expiresAt - 5),
        );
      }
    });
  });
});

function forAnyPlan(
  plans: fc.Arbitrary<Plan>,
  check: (history: Awaited<ReturnType<typeof simulate>>) => void,
): Promise<void> {
  return fc.assert(fc.asyncProperty(plans, async (one) => check(await simulate(one))));
}

/** The first moment, in seconds, at which a token may be renewed: at 75 % of its life, or when its reserve begins. */
function firstRenewalOf({ issuedAt, expiresAt }: AccessToken): number {
  return issuedAt + secondsBeforeRenewal(expiresAt - issuedAt);
}

/** Each exchange with the next one for the same user in the same isolate. */
function neighbours(exchanges: readonly Exchange[]): [Exchange, Exchange][] {
  return exchanges.flatMap((earlier, index) => {
    const later = exchanges.find(
      (each, place) => place > index && each.isolate === earlier.isolate && each.user === earlier.user,
    );
    return later === undefined ? [] : [[earlier, later]];
  });
}

/** Runs a plan on isolates that share a store, in a world whose clock only the plan moves. */
async function simulate({ steps, treatments, reads }: Plan) {
  const timeline = createTimeline(START_MS);
  const { now, sleep } = timeline;
  const requests: Request[] = [];
  const exchanges: Exchange[] = [];
  const issued = new Map<string, { readonly user: string; readonly token: AccessToken }>();
  const writes: { readonly key: string; readonly token: AccessToken; readonly writtenMs: number }[] = [];
  let readCount = 0;
  const isolates = ISOLATES.map(createIsolate);

  for (const step of steps) {
    if (step.do === "wait") await timeline.advance(step.ms);
    if (step.do === "forget") isolates[step.isolate]?.memory.delete(keyOf(step.user));
    if (step.do === "ask") for (let count = 0; count < step.times; count += 1) send(step);
    await timeline.settle();
  }
  // Long enough for requests that go one after the other, because each one's exchange breaks.
  await timeline.advance(60 * 60_000);
  const results = requests.filter((each): each is Served => each.result !== undefined);
  return { requests, results, exchanges, issued };

  function createIsolate(index: number) {
    const memory = new Map<string, CachedToken>();
    const getToken = createTokenService(SOURCE, {
      memory: {
        get: (key) => memory.get(key),
        set: (key, cached) => void memory.set(key, cached),
      },
      store: {
        open: async (key) => ({
          token: await readStore(key),
          write: (token) => writeStore(key, token),
        }),
      },
      exchange: (grant) => exchange(index, memory, grant),
      now,
      sleep,
      random: () => 0.5,
      log: () => {},
    });
    return { memory, getToken };
  }

  function send({ isolate: index, user: name, rejects }: Step & { do: "ask" }) {
    const { memory, getToken } = isolates[index] ?? createIsolate(index);
    const given = requests.filter((each) => each.user === name).flatMap(({ result }) => result?.token ?? []);
    const rejected = rejects === "last" ? given.at(-1) : rejects === "older" ? given.at(-2) : undefined;
    const rejectedToken = rejects === "unknown" ? "unknown" : rejected?.accessToken;
    const request: Request = { isolate: index, user: name, askedMs: now(), rejected, held: memory.get(keyOf(name)) };
    requests.push(request);

    const end = (outcome: Partial<Request>) =>
      Object.assign(request, outcome, { endedMs: now(), heldAfter: memory.get(keyOf(name)) });
    getToken({
      grant: grantOf(name),
      rejectedToken,
      countExchange: async () => true,
      deadline: now() + REQUEST_BUDGET_MS,
      waitUntil: () => {},
    }).then(
      (result) => end({ result }),
      (error: unknown) => end({ error }),
    );
  }

  async function exchange(index: number, memory: Map<string, CachedToken>, { userId = "" }: Grant) {
    const { ms, outcome, lifetime } = treatments[exchanges.length % treatments.length] ?? {
      ms: 1,
      outcome: "issues",
      lifetime: 1,
    };
    const startedMs = now();
    const held = memory.get(keyOf(userId))?.token;
    const failure = `exchange ${exchanges.length} failed`;
    const exchanged: Exchange = {
      isolate: index,
      user: userId,
      startedMs,
      held,
      outcome,
      failure,
      endedMs: startedMs + ms,
    };
    exchanges.push(exchanged);
    if (outcome === "is left") return new Promise<never>(() => {});

    await sleep(ms);
    if (outcome === "is down") throw new TokenError("upstream_unavailable", failure);
    if (outcome === "breaks") throw new Error(failure);
    const issuedAt = inSeconds(startedMs);
    const token = {
      accessToken: `token ${issued.size}`,
      issuedAt,
      expiresAt: issuedAt + lifetime,
      digests: { token: "t", user: undefined },
    };
    issued.set(token.accessToken, { user: userId, token });
    exchanged.issued = token;
    return { token, logId: undefined, signMs: 0, upstreamMs: ms, attempts: 1 };
  }

  async function readStore(key: string): Promise<AccessToken | undefined> {
    const { ms, lagMs, finds } = reads[readCount++ % reads.length] ?? { ms: 1, lagMs: 0, finds: true };
    await sleep(ms);
    return finds ? writes.findLast((write) => write.key === key && write.writtenMs <= now() - lagMs)?.token : undefined;
  }

  function writeStore(key: string, token: AccessToken): Promise<void> | undefined {
    if (secondsLeft(token, now() / 1000) < 60) return undefined;
    writes.push({ key, token, writtenMs: now() });
    return Promise.resolve();
  }
}

function between(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min, max });
}

/** A clock with timers that rings in order and lets everything that follows from one ring happen before the next. */
function createTimeline(startMs: number) {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly ring: () => void }>();

  /** More turns than any chain of promises here has links. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 100; turn += 1) await undefined;
  }

  return {
    now: () => nowMs,
    settle,
    sleep(ms: number, signal?: AbortSignal): Promise<void> {
      return new Promise((resolve) => {
        const timer = { atMs: nowMs + ms, ring: resolve };
        timers.add(timer);
        signal?.addEventListener("abort", () => timers.delete(timer));
      });
    },
    async advance(ms: number): Promise<void> {
      const untilMs = nowMs + ms;
      for (;;) {
        const [next] = [...timers].sort((a, b) => a.atMs - b.atMs);
        if (next === undefined || next.atMs > untilMs) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.ring();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}
