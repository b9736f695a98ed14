import { EXCHANGE_BUDGET_MS, type Exchanged } from "./exchange.ts";
import { createFlights, type FlightPorts, type KeepAlive } from "./flights.ts";
import { isAboveReserve, isOfUse, isRefused, type KeptToken, keepToken, keepUnrenewed, useOf } from "./freshness.ts";
import { createCacheKeys, type Grant, type TokenSource } from "./grant.ts";
import { type IssuedToken, secondsLeft } from "./issued-token.ts";
import type { Log } from "./log.ts";
import { TokenError } from "./token-error.ts";

/** The tokens that this isolate keeps: bounded, so it may forget any of them. */
export type TokenMemory = {
  readonly get: (key: string) => KeptToken | undefined;
  readonly set: (key: string, kept: KeptToken) => void;
  readonly delete: (key: string) => void;
};

/** Reads from where all isolates keep tokens. It never fails: what cannot be read is a miss. */
export type ReadStore = (key: string) => Promise<StoreEntry>;

/** What the store holds for a key. */
export type StoreEntry = {
  readonly token: IssuedToken | undefined;
  /** Puts another token there: the write under way, which never rejects; `undefined` for one that cannot be kept. */
  readonly replace: (token: IssuedToken) => Promise<void> | undefined;
};

export type TokenServicePorts = FlightPorts & {
  readonly memory: TokenMemory;
  readonly readStore: ReadStore | undefined;
  readonly exchange: (grant: Grant) => Promise<Exchanged>;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
};

/** A token, and how it was come by. */
export type TokenAnswer = {
  readonly token: IssuedToken;
  readonly ttlSeconds: number;
  readonly cacheOutcome: CacheOutcome;
  readonly effort: Effort;
};

/** What it took to come by a token, in milliseconds; what did not happen is left out. */
export type Effort = {
  /** Reading the store. */
  readonly cacheMs?: number;
  readonly signMs?: number;
  readonly upstreamMs?: number;
  /** The id under which Coze's support finds the exchange. */
  readonly cozeLogId?: string | undefined;
};

/**
 * `hit`: from memory or the store. `stale`: likewise, below the line at which it should have been renewed, which failed.
 * `miss`: new from Coze. `collapsed`: new from Coze, for another request that waited as well.
 */
export type CacheOutcome = "hit" | "stale" | "miss" | "collapsed";

/** What one request wants. */
export type TokenRequest = {
  readonly grant: Grant;
  /** A token that Coze has refused to the client. */
  readonly rejectedToken?: string | undefined;
  /** Takes work that goes on after the answer. */
  readonly afterAnswer: KeepAlive;
};

export type TokenService = (request: TokenRequest) => Promise<TokenAnswer>;

type Loaded = { readonly kept: KeptToken; readonly cacheOutcome: CacheOutcome; readonly effort: Effort };

/** The exchange ends by itself within its budget; reading the store comes before it. */
const FLIGHT_LIFETIME_MS = EXCHANGE_BUDGET_MS + 2000;

/**
 * Creates the service that answers with a token for a grant: from memory, from the store, or from one exchange for all
 * who wait. A token is renewed behind an answer while it ages, and before an answer once it nears its end.
 */
export function createTokenService(source: TokenSource, ports: TokenServicePorts): TokenService {
  const { memory, readStore, exchange, random, log } = ports;
  const cacheKeyFor = createCacheKeys(source);
  const flights = createFlights<Loaded>(FLIGHT_LIFETIME_MS, ports);

  return async function issueToken(request) {
    const { grant, rejectedToken, afterAnswer } = request;
    const key = cacheKeyFor(grant);
    for (;;) {
      const kept = memory.get(key);
      if (kept !== undefined && !isRefused(kept.token, rejectedToken, nowSeconds())) {
        const use = useOf(kept, nowSeconds());
        if (use !== "renew") return serve({ kept, cacheOutcome: use === "serve-stale" ? "stale" : "hit", effort: {} });
      }
      if (!flights.isUnderWay(key)) return serve(await flights.lead(key, () => load(key, request), afterAnswer));

      const loaded = await flights.follow(key);
      // Who had a token refused may have joined a flight that found just this token, and then looks again.
      if (loaded !== undefined && !isRefused(loaded.kept.token, rejectedToken, nowSeconds())) {
        return serve(loaded.cacheOutcome === "miss" ? { ...loaded, cacheOutcome: "collapsed" } : loaded);
      }
    }

    function serve({ kept, cacheOutcome, effort }: Loaded): TokenAnswer {
      if (useOf(kept, nowSeconds()) === "serve-and-renew" && !flights.isUnderWay(key)) {
        void flights.lead(key, () => load(key, request), afterAnswer);
      }
      return { token: kept.token, ttlSeconds: secondsLeft(kept.token, nowSeconds()), cacheOutcome, effort };
    }
  };

  /** Loads a token that outlives the kept one: from the store, where another isolate may have put it, or a new one. */
  async function load(key: string, { grant, rejectedToken, afterAnswer }: TokenRequest): Promise<Loaded> {
    const known = memory.get(key)?.token;
    const wasRefused = known !== undefined && isRefused(known, rejectedToken, nowSeconds());
    if (wasRefused) memory.delete(key);

    const startedAt = ports.now();
    const entry = await readStore?.(key);
    const effort = entry === undefined ? {} : { cacheMs: ports.now() - startedAt };
    const found = entry?.token;
    const stored = found !== undefined && isRefused(found, rejectedToken, nowSeconds()) ? undefined : found;
    if (stored !== undefined && stored.expiresAt > (known?.expiresAt ?? 0) && isAboveReserve(stored, nowSeconds())) {
      return keep(key, { kept: keepToken(stored, random()), cacheOutcome: "hit", effort });
    }
    try {
      const { token, logId: cozeLogId, signMs, upstreamMs } = await exchange(grant);
      const write = entry?.replace(token);
      if (write !== undefined) afterAnswer(write);
      const kept = keepToken(token, random());
      return keep(key, { kept, cacheOutcome: "miss", effort: { ...effort, signMs, upstreamMs, cozeLogId } });
    } catch (error) {
      const fallback = wasRefused ? stored : (known ?? stored);
      if (fallback === undefined || !isOfUse(fallback, nowSeconds())) throw error;

      log("warn", "renewal_failed", { error: error instanceof TokenError ? error.code : String(error) });
      return keep(key, { kept: keepUnrenewed(fallback, nowSeconds()), cacheOutcome: "stale", effort });
    }
  }

  function keep(key: string, loaded: Loaded): Loaded {
    memory.set(key, loaded.kept);
    return loaded;
  }

  function nowSeconds(): number {
    return Math.floor(ports.now() / 1000);
  }
}
