import { describe, expect, it, vi } from "vitest";
import type { Grant } from "../../../../src/core/grant/grant.ts";
import type { CachedToken } from "../../../../src/core/token/freshness.ts";
import type { AccessToken } from "../../../../src/core/token/token.ts";
import type { TokenRequest } from "../../../../src/core/token/token-request.ts";
import { createTokenService } from "../../../../src/core/token/token-service.ts";
import { TokenError } from "../../../../src/core/token-error.ts";

const source = { clientId: "1", audience: "api.coze.cn", tokenEndpoint: "https://api.coze.cn/token" };
const ada: Grant = { userId: "ada", durationSeconds: 900, scope: undefined };
const bob: Grant = { ...ada, userId: "bob" };
const digests = { token: "a digest", user: "another" };
const down = new TokenError("upstream_unavailable", "down");
const overLimit = new TokenError("rate_limited", "over the limit");
const isOverLimit = { countExchange: async () => false };

type World = ReturnType<typeof createWorld>;

/** The tokens that all isolates of a test share. */
type Store = Map<string, AccessToken>;

/** One isolate, with a clock that only the test moves, and a Coze that it holds back at will. */
function createWorld({
  store = new Map(),
  nowMs = 1_000_000,
  onRead = () => {},
}: {
  store?: Store | null;
  nowMs?: number;
  onRead?: () => void;
} = {}) {
  const clock = { nowMs };
  const memory = new Map<string, CachedToken>();
  const work: Promise<unknown>[] = [];
  const logged: unknown[] = [];
  const writes: Promise<void>[] = [];
  const timers: { readonly ms: number; readonly ring: () => void }[] = [];
  const coze = { exchanges: 0, failure: undefined as unknown, held: undefined as Promise<void> | undefined };
  const getToken = createTokenService(source, {
    memory: {
      get: (key) => memory.get(key),
      set: (key, cached) => void memory.set(key, cached),
    },
    store:
      store === null
        ? undefined
        : {
            open: async (key) => {
              onRead();
              return {
                token: store.get(key),
                write: (token) => (token.expiresAt - token.issuedAt < 60 ? undefined : write(key, token)),
              };
            },
          },
    exchange: async ({ durationSeconds }, countExchange) => {
      if (!(await countExchange())) throw overLimit;
      coze.exchanges += 1;
      const accessToken = `token ${coze.exchanges}`;
      await coze.held;
      if (coze.failure !== undefined) throw coze.failure;
      const issuedAt = clock.nowMs / 1000;
      const token = { accessToken, issuedAt, expiresAt: issuedAt + durationSeconds, digests };
      return { token, logId: "log id", signMs: 1, upstreamMs: 2, attempts: 1 };
    },
    now: () => clock.nowMs,
    sleep: (ms) => new Promise((ring) => void timers.push({ ms, ring })),
    random: () => 0,
    log: (level, event, facts) => logged.push({ level, event, ...facts }),
  });

  function write(key: string, token: AccessToken): Promise<void> {
    store?.set(key, token);
    const writing = Promise.resolve();
    writes.push(writing);
    return writing;
  }

  return {
    clock,
    coze,
    memory,
    logged,
    work,
    writes,
    timers,
    ask: (grant = ada, rejectedToken?: string, more: Partial<TokenRequest> = {}) =>
      getToken({
        grant,
        rejectedToken,
        countExchange: async () => true,
        deadline: clock.nowMs + 12_000,
        waitUntil: (task) => void work.push(task),
        ...more,
      }),
    /** Waits for all that goes on after responses. */
    async settle() {
      for (let count = -1; count !== work.length; ) {
        count = work.length;
        await Promise.allSettled(work);
      }
    },
    laterBy(seconds: number) {
      clock.nowMs += seconds * 1000;
    },
    /** Makes Coze wait until the returned function is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      coze.held = promise;
      return resolve;
    },
  };
}

async function tokenOf(result: ReturnType<World["ask"]>): Promise<string> {
  return (await result).token.accessToken;
}

/** An isolate that many seconds after it got its first token. */
async function worldAfter(seconds: number, options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = createWorld(options);
  await world.ask();
  world.laterBy(seconds);
  return world;
}

/** An isolate that finds in the store the token of another, that many seconds old. */
async function otherIsolateAfter(seconds: number): Promise<World> {
  const store: Store = new Map();
  const { clock } = await worldAfter(seconds, { store });
  const world = createWorld({ store, nowMs: clock.nowMs });
  world.coze.exchanges = 1;
  return world;
}

describe("a token service", () => {
  it("exchanges once and serves from memory while the token is fresh", async () => {
    const world = createWorld();
    expect(await world.ask()).toEqual({
      token: { accessToken: "token 1", issuedAt: 1000, expiresAt: 1900, digests },
      cacheOutcome: "miss",
      ttlSeconds: 900,
      timings: { cacheMs: 0, signMs: 1, upstreamMs: 2, attempts: 1, cozeLogId: "log id" },
    });
    world.laterBy(100);
    expect(await world.ask()).toEqual({
      token: { accessToken: "token 1", issuedAt: 1000, expiresAt: 1900, digests },
      cacheOutcome: "hit",
      ttlSeconds: 800,
      timings: {},
    });
  });

  it("finds a token of another isolate in the store, and then caches it in memory", async () => {
    const store: Store = new Map();
    await createWorld({ store }).ask();
    const world = createWorld({ store });
    expect(await world.ask()).toMatchObject({ cacheOutcome: "hit", timings: { cacheMs: 0 } });
    store.clear();
    expect(await world.ask()).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "hit", timings: {} });
    expect(world.coze.exchanges).toBe(0);
  });

  it("caches tokens in memory alone when there is no store", async () => {
    const world = createWorld({ store: null });
    expect((await world.ask()).timings).not.toHaveProperty("cacheMs");
    expect(await world.ask()).toMatchObject({ cacheOutcome: "hit" });
  });

  it("lets the write to the store go on after the response", async () => {
    const world = createWorld();
    await world.ask();
    expect(world.writes).toHaveLength(1);
    expect(world.work).toContain(world.writes[0]);
  });

  it("caches a token in memory that is too short-lived for the store", async () => {
    const store: Store = new Map();
    const world = createWorld({ store });
    const brief = { ...ada, durationSeconds: 30 };
    expect(await world.ask(brief)).toMatchObject({ cacheOutcome: "miss" });
    expect(await world.ask(brief)).toMatchObject({ cacheOutcome: "hit" });
    expect(store.size).toBe(0);
    expect(world.work).not.toContain(undefined);
  });

  it("passes an exchange's error on when no token is cached, and exchanges again next time", async () => {
    const world = createWorld();
    world.coze.failure = down;
    await expect(world.ask()).rejects.toBe(down);
    world.coze.failure = undefined;
    expect(await world.ask()).toMatchObject({ cacheOutcome: "miss" });
  });
});

describe("requests for one token at the same time", () => {
  it("makes one exchange for concurrent requests, and marks those that joined as collapsed", async () => {
    const world = createWorld();
    const release = world.hold();
    const results = Array.from({ length: 1000 }, () => world.ask());
    release();
    const outcomes = (await Promise.all(results)).map(({ cacheOutcome }) => cacheOutcome);
    expect(world.coze.exchanges).toBe(1);
    expect(outcomes.filter((outcome) => outcome === "miss")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "collapsed")).toHaveLength(999);
  });

  it("shares a failure among concurrent requests, and starts afresh for the next", async () => {
    const world = createWorld();
    const release = world.hold();
    const results = [world.ask(), world.ask(), world.ask()];
    world.coze.failure = down;
    release();
    for (const result of await Promise.allSettled(results)) expect(result).toMatchObject({ reason: down });
    expect(world.coze.exchanges).toBe(1);
    await world.settle();
    world.coze.failure = undefined;
    expect(await world.ask()).toMatchObject({ token: { accessToken: "token 2" } });
  });

  it("shares a token from the store among concurrent requests", async () => {
    const world = await otherIsolateAfter(0);
    const results = await Promise.all([world.ask(), world.ask()]);
    expect(results.map(({ cacheOutcome }) => cacheOutcome)).toEqual(["hit", "hit"]);
  });
});

describe("a request that waits for another's exchange", () => {
  it("makes a second exchange for a request when the one it waits for is lost", async () => {
    const world = createWorld();
    world.hold();
    void world.ask();
    const waiting = world.ask();
    expect(world.timers).toMatchObject([{ ms: 11_500 }]);
    await vi.waitFor(() => expect(world.coze.exchanges).toBe(1));

    world.coze.held = undefined;
    world.laterBy(11.5);
    for (const { ring } of world.timers) ring();
    expect(await waiting).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "miss" });
  });

  it("ends a waiting request at its own deadline, and the exchange goes on for others", async () => {
    const world = createWorld();
    const release = world.hold();
    const first = world.ask();
    const late = world.ask(ada, undefined, { deadline: world.clock.nowMs + 3000 });
    expect(world.timers).toMatchObject([{ ms: 3000 }]);
    world.laterBy(3);
    for (const { ring } of world.timers) ring();
    await expect(late).rejects.toMatchObject({
      code: "upstream_timeout",
      message: "Coze did not respond in time. Try again.",
    });

    const joined = world.ask();
    release();
    expect(await first).toMatchObject({ token: { accessToken: "token 1" } });
    expect(await joined).toMatchObject({ cacheOutcome: "collapsed" });
    expect(world.coze.exchanges).toBe(1);
  });
});

describe("a request that has little time left", () => {
  it("sets a timer only for a request with less time left than loading a token takes", async () => {
    const world = createWorld();
    await world.ask(ada, undefined, { deadline: world.clock.nowMs + 11_000 });
    expect(world.timers).toEqual([]);
    await world.ask(bob, undefined, { deadline: world.clock.nowMs + 10_999 });
    expect(world.timers).toHaveLength(1);
  });

  it("ends the request that started an exchange at its deadline, and the exchange goes on for the next", async () => {
    const world = createWorld();
    const release = world.hold();
    const late = world.ask(ada, undefined, { deadline: world.clock.nowMs + 1000 });
    await vi.waitFor(() => expect(world.timers).toMatchObject([{ ms: 1000 }]));
    world.laterBy(1);
    for (const { ring } of world.timers) ring();
    await expect(late).rejects.toMatchObject({ code: "upstream_timeout" });

    release();
    await world.settle();
    expect(await world.ask()).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "hit" });
  });

  it("serves a token near its end to a request whose time is up", async () => {
    const world = await worldAfter(850);
    world.hold();
    const late = world.ask(ada, undefined, { deadline: world.clock.nowMs });
    await vi.waitFor(() => expect(world.timers).toHaveLength(1));
    for (const { ring } of world.timers) ring();
    expect(await late).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "stale" });
  });
});

describe("a request for a token with some life left", () => {
  it("serves the cached token while it has the minimum life of a request, and renews it after that", async () => {
    const world = await worldAfter(600);
    const outcome = () => world.ask(ada, undefined, { minSeconds: 300 });
    expect(await outcome()).toMatchObject({ cacheOutcome: "hit", ttlSeconds: 300 });
    world.laterBy(1);
    expect(await outcome()).toMatchObject({ cacheOutcome: "miss", ttlSeconds: 900 });
  });

  it("counts a minimum life of more than half the duration as half", async () => {
    const world = await worldAfter(450);
    expect(await world.ask(ada, undefined, { minSeconds: 86_399 })).toMatchObject({ cacheOutcome: "hit" });
    world.laterBy(1);
    expect(await world.ask(ada, undefined, { minSeconds: 86_399 })).toMatchObject({ cacheOutcome: "miss" });
  });

  it("renews for one request a shorter-lived token that another finds in the store at the same time", async () => {
    const world = await otherIsolateAfter(601);
    const [any, long] = await Promise.all([world.ask(), world.ask(ada, undefined, { minSeconds: 300 })]);
    expect(any).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "hit" });
    expect(long).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "miss" });
  });

  it("renews a token from the store that has less than the minimum life of a request", async () => {
    const world = await otherIsolateAfter(601);
    expect(await tokenOf(world.ask(ada, undefined, { minSeconds: 300 }))).toBe("token 2");
  });

  it("serves a token with less than the minimum life while Coze is down", async () => {
    const world = await worldAfter(650);
    world.coze.failure = down;
    expect(await world.ask(ada, undefined, { minSeconds: 300 })).toMatchObject({
      cacheOutcome: "stale",
      ttlSeconds: 250,
    });
  });
});

describe("a client above its limit of exchanges", () => {
  it("refuses a client above its limit of exchanges when nothing is cached, and no other client with it", async () => {
    const world = createWorld();
    const [refused, ...served] = await Promise.allSettled([
      world.ask(ada, undefined, isOverLimit),
      world.ask(),
      world.ask(),
    ]);
    expect(refused).toMatchObject({ status: "rejected", reason: overLimit });
    expect(served).toMatchObject([
      { status: "fulfilled", value: { token: { accessToken: "token 1" } } },
      { status: "fulfilled", value: { token: { accessToken: "token 1" } } },
    ]);
    expect(world.coze.exchanges).toBe(1);
  });

  it("counts an exchange once for each request above the limit, however often it waits for others", async () => {
    const world = createWorld();
    const countExchange = vi.fn(async () => false);
    const requests = Array.from({ length: 100 }, () => world.ask(ada, undefined, { countExchange }));
    for (const outcome of await Promise.allSettled(requests)) expect(outcome).toMatchObject({ reason: overLimit });
    expect(countExchange).toHaveBeenCalledTimes(100);
  });

  it("reads nothing from the store for a renewal that the limit of exchanges puts off", async () => {
    const reads = vi.fn();
    const world = await worldAfter(700, { onRead: reads });
    reads.mockClear();
    for (let count = 0; count < 10; count += 1) {
      expect(await world.ask(ada, undefined, isOverLimit)).toMatchObject({ cacheOutcome: "hit" });
      await world.settle();
    }
    expect(reads).not.toHaveBeenCalled();
    expect(world.coze.exchanges).toBe(1);
  });

  it("serves the old token to a client above its limit, and a new one to another client at the same time", async () => {
    const world = await worldAfter(850);
    const [limited, other] = await Promise.all([world.ask(ada, undefined, isOverLimit), world.ask()]);
    expect(limited).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "stale" });
    expect(other).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "miss" });
  });

  it("counts an exchange once for a client that waits twice for clients above their limit", async () => {
    const world = createWorld();
    const passed = Promise.withResolvers<boolean>();
    const countExchange = vi.fn(() => passed.promise);
    const limited = world.ask(ada, undefined, isOverLimit);
    const waiting = world.ask(ada, undefined, { countExchange });
    await expect(limited).rejects.toBe(overLimit);
    const another = world.ask(ada, undefined, isOverLimit);
    passed.resolve(true);
    await expect(another).rejects.toBe(overLimit);
    expect(await waiting).toMatchObject({ token: { accessToken: "token 1" } });
    expect(countExchange).toHaveBeenCalledTimes(1);
  });

  it("serves the cached token, while it is usable, to a client above its limit of exchanges", async () => {
    const world = await worldAfter(894);
    expect(await world.ask(ada, undefined, isOverLimit)).toMatchObject({ cacheOutcome: "stale", ttlSeconds: 6 });
    world.laterBy(2);
    await expect(world.ask(ada, undefined, isOverLimit)).rejects.toBe(overLimit);
  });

  it("serves a usable token from the store to a client above its limit of exchanges", async () => {
    const world = await otherIsolateAfter(850);
    expect(await world.ask(ada, undefined, isOverLimit)).toMatchObject({ cacheOutcome: "stale", ttlSeconds: 50 });
  });

  it("serves neither a rejected token nor one with too little life to a client above its limit", async () => {
    const world = await worldAfter(700);
    await expect(world.ask(ada, "token 1", isOverLimit)).rejects.toBe(overLimit);
    await expect(world.ask(ada, undefined, { ...isOverLimit, minSeconds: 300 })).rejects.toBe(overLimit);
  });

  it("puts off the renewal of an ageing token only for the client above its limit", async () => {
    const world = await worldAfter(700);
    expect(await world.ask(ada, undefined, isOverLimit)).toMatchObject({ cacheOutcome: "hit" });
    await world.settle();
    expect(world.coze.exchanges).toBe(1);
    await world.ask();
    await world.settle();
    expect(world.coze.exchanges).toBe(2);
    expect(world.logged).toEqual([]);
  });

  it("serves the cached token to each client above its limit that waited for another", async () => {
    const world = await worldAfter(850);
    const ask = () => world.ask(ada, undefined, { ...isOverLimit, minSeconds: 10 });
    expect(await Promise.all([ask(), ask()])).toMatchObject([{ ttlSeconds: 50 }, { ttlSeconds: 50 }]);
  });
});

describe("an ageing token", () => {
  it("serves an ageing token at once and renews it after the response, once for any number of requests", async () => {
    const world = await worldAfter(700);
    const release = world.hold();
    for (const _ of [1, 2, 3]) expect(await world.ask()).toMatchObject({ cacheOutcome: "hit", ttlSeconds: 200 });
    release();
    await world.settle();
    expect(world.coze.exchanges).toBe(2);
    expect(await world.ask()).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "hit" });
  });

  it("replaces an ageing token with the one that another isolate has renewed already", async () => {
    const store: Store = new Map();
    const world = await worldAfter(700, { store });
    const other = createWorld({ store, nowMs: world.clock.nowMs });
    other.coze.exchanges = 10;
    await other.ask();
    await other.settle();

    await world.ask();
    await world.settle();
    expect(await tokenOf(world.ask())).toBe("token 11");
    expect(world.coze.exchanges).toBe(1);
  });

  it("serves an ageing token from the store at once, and renews it", async () => {
    const world = await otherIsolateAfter(700);
    expect(await world.ask()).toMatchObject({ cacheOutcome: "hit", ttlSeconds: 200 });
    await world.settle();
    expect(world.coze.exchanges).toBe(2);
  });

  it("serves an ageing token when its renewal fails, and tries again after half a minute", async () => {
    const world = await worldAfter(700);
    world.coze.failure = down;
    for (const seconds of [0, 10, 19]) {
      world.laterBy(seconds);
      expect(await world.ask()).toMatchObject({ cacheOutcome: "hit" });
      await world.settle();
    }
    expect(world.coze.exchanges).toBe(2);
    expect(world.logged).toEqual([{ level: "warn", event: "renewal_failed", error: "upstream_unavailable" }]);

    world.coze.failure = undefined;
    world.laterBy(1);
    await world.ask();
    await world.settle();
    expect(await tokenOf(world.ask())).toBe("token 3");
  });

  it("serves an ageing token when its renewal fails with an unexpected error", async () => {
    const world = await worldAfter(700);
    world.coze.failure = new Error("a bug");
    await world.ask();
    await world.settle();
    expect(await world.ask()).toMatchObject({ cacheOutcome: "hit" });
    expect(world.logged).toEqual([{ level: "warn", event: "renewal_failed", error: "Error: a bug" }]);
  });
});

describe("a token due for renewal", () => {
  it("renews a token before the response once its reserve begins", async () => {
    const world = await worldAfter(810);
    expect(await world.ask()).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "miss" });
  });

  it("serves a token in its reserve when its renewal fails, and tries again after half a minute", async () => {
    const world = await worldAfter(820);
    world.coze.failure = down;
    for (const seconds of [0, 10, 19]) {
      world.laterBy(seconds);
      expect(await world.ask()).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "stale" });
    }
    expect(world.coze.exchanges).toBe(2);
    world.laterBy(1);
    expect(await world.ask()).toMatchObject({ cacheOutcome: "stale" });
    expect(world.coze.exchanges).toBe(3);
  });

  it("does not serve a token in its last five seconds", async () => {
    const world = createWorld();
    await world.ask();
    world.coze.failure = down;
    world.laterBy(895);
    expect(await world.ask()).toMatchObject({ cacheOutcome: "stale", ttlSeconds: 5 });
    world.laterBy(1);
    await expect(world.ask()).rejects.toBe(down);
  });

  it("serves a token near its end from the store when Coze is down", async () => {
    const world = await otherIsolateAfter(850);
    world.coze.failure = down;
    expect(await world.ask()).toMatchObject({
      token: { accessToken: "token 1" },
      cacheOutcome: "stale",
      timings: { cacheMs: 0 },
    });
  });

  it("joins the renewal that is under way when a token's reserve begins", async () => {
    const world = await worldAfter(805);
    const release = world.hold();
    await world.ask();
    world.laterBy(6);
    const waiting = world.ask();
    release();
    expect(await waiting).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "collapsed" });
    expect(world.coze.exchanges).toBe(2);
  });
});

describe("a token that Coze rejected", () => {
  it("replaces a rejected token in memory and in the store", async () => {
    const store: Store = new Map();
    const world = await worldAfter(10, { store });
    expect(await world.ask(ada, "token 1")).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "miss" });
    expect(await tokenOf(world.ask())).toBe("token 2");
    expect([...store.values()].map(({ accessToken }) => accessToken)).toEqual(["token 2"]);
  });

  it("replaces a rejected token even when the store still returns it", async () => {
    const store: Store = new Map();
    const stale = new Map<string, AccessToken>();
    const world = createWorld({ store });
    const rejected = await tokenOf(world.ask());
    await world.settle();
    for (const [key, token] of store) stale.set(key, token);
    world.laterBy(10);
    await world.ask(ada, rejected);
    await world.settle();
    for (const [key, token] of stale) store.set(key, token);

    expect(await tokenOf(world.ask())).toBe("token 2");
    world.laterBy(700);
    await world.ask();
    await world.settle();
    expect(await tokenOf(world.ask())).toBe("token 3");
  });

  it("replaces a rejected token that is in the store only", async () => {
    const world = await otherIsolateAfter(10);
    expect(await tokenOf(world.ask(ada, "token 1"))).toBe("token 2");
  });

  it("serves the cached token when the rejected one is an older one", async () => {
    const world = await worldAfter(10);
    expect(await world.ask(ada, "an older token")).toMatchObject({
      cacheOutcome: "hit",
      token: { accessToken: "token 1" },
    });
    expect(world.coze.exchanges).toBe(1);
  });

  it("serves a rejected token again while it is younger than ten seconds, from memory and from the store", async () => {
    const store: Store = new Map();
    const world = await worldAfter(9, { store });
    expect(await tokenOf(world.ask(ada, "token 1"))).toBe("token 1");
    const other = createWorld({ store, nowMs: world.clock.nowMs });
    expect(await tokenOf(other.ask(ada, "token 1"))).toBe("token 1");
    expect([world.coze.exchanges, other.coze.exchanges]).toEqual([1, 0]);
  });

  it("replaces a rejected token once, however many clients report it at the same time", async () => {
    const world = await worldAfter(10);
    const results = Array.from({ length: 100 }, () => tokenOf(world.ask(ada, "token 1")));
    expect(new Set(await Promise.all(results))).toEqual(new Set(["token 2"]));
    expect(world.coze.exchanges).toBe(2);
  });

  it("does not serve a rejected token that a concurrent request finds in the store", async () => {
    const world = await otherIsolateAfter(10);
    const [innocent, ...refused] = await Promise.all([
      world.ask(),
      world.ask(ada, "token 1"),
      world.ask(ada, "token 1"),
    ]);
    expect(innocent.token.accessToken).toBe("token 1");
    expect(refused.map(({ token }) => token.accessToken)).toEqual(["token 2", "token 2"]);
    expect(world.coze.exchanges).toBe(2);
  });

  it("serves a rejected token to everybody else when its replacement fails", async () => {
    const world = await worldAfter(10, { store: null });
    world.coze.failure = down;
    await expect(world.ask(ada, "token 1")).rejects.toBe(down);
    expect(await world.ask()).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "hit" });
  });

  it("serves a rejected token to other requests that wait for its replacement when that fails", async () => {
    const world = await worldAfter(850);
    world.coze.failure = down;
    const [refused, waiting] = await Promise.allSettled([world.ask(ada, "token 1"), world.ask()]);
    expect(refused).toMatchObject({ reason: down });
    expect(waiting).toMatchObject({ value: { token: { accessToken: "token 1" }, cacheOutcome: "stale" } });
  });

  it("serves the token in memory, not the rejected one in the store, when Coze is down", async () => {
    const store: Store = new Map();
    const world = createWorld({ store });
    await world.ask({ ...ada });
    const other = createWorld({ store, nowMs: 1_850_000 });
    other.coze.exchanges = 1;
    await other.ask();
    world.laterBy(870);
    world.coze.failure = down;
    expect(await world.ask(ada, "token 2")).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "stale" });
  });

  it("does not serve an older token from the store for a rejected one, whether Coze is up or down", async () => {
    const store: Store = new Map();
    const world = createWorld({ store });
    await world.ask();
    const older = [...store];
    world.laterBy(10);
    await world.ask(ada, "token 1");
    await world.settle();
    for (const [key, token] of older) store.set(key, token);
    world.laterBy(10);
    world.coze.failure = down;
    await expect(world.ask(ada, "token 2")).rejects.toBe(down);
    world.coze.failure = undefined;
    expect(await tokenOf(world.ask(ada, "token 2"))).toBe("token 4");
  });
});
