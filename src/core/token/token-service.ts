import { createCacheKeyFor, type Grant, type TokenSource } from "../grant/grant.ts";
import type { Log } from "../log.ts";
import { createSingleFlight, type SingleFlightPorts, type WaitUntil } from "../single-flight.ts";
import { TokenError } from "../token-error.ts";
import { type CountExchange, EXCHANGE_BUDGET_MS, type ExchangeResult, tooManyExchanges } from "./exchange.ts";
import {
  type CachedToken,
  cacheActionFor,
  cachedToken,
  hasLifeLeft,
  isFresh,
  isRejected,
  isUsable,
  withRenewalPaused,
} from "./freshness.ts";
import { type AccessToken, secondsLeft } from "./token.ts";

/** The tokens that this isolate keeps: bounded, so it may forget any of them. */
export type TokenMemory = {
  readonly get: (key: string) => CachedToken | undefined;
  readonly set: (key: string, cached: CachedToken) => void;
};

/** The tokens that all isolates share. It never fails: what cannot be read in time is a miss. */
export type TokenStore = { readonly open: (key: string) => Promise<StoreEntry> };

/** The entry of the store for a key. */
export type StoreEntry = {
  /** The token that was found; `undefined` for a miss. */
  readonly token: AccessToken | undefined;
  /** Writes another token: the write under way, which never rejects; `undefined` for a token that cannot be stored. */
  readonly write: (token: AccessToken) => Promise<void> | undefined;
};

export type TokenServicePorts = SingleFlightPorts & {
  readonly memory: TokenMemory;
  readonly store: TokenStore | undefined;
  /** Throws a TokenError `rate_limited` where `countExchange` says no, `upstream_…` where no token comes of it. */
  readonly exchange: (grant: Grant, countExchange: CountExchange) => Promise<ExchangeResult>;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
};

/** A token, and how it was come by. */
export type TokenResult = {
  readonly token: AccessToken;
  readonly ttlSeconds: number;
  readonly cacheOutcome: CacheOutcome;
  readonly timings: Timings;
};

/** What it took to come by a token, in milliseconds; what did not happen is left out. */
export type Timings = {
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
  /** The seconds that the client wants a token to have left. */
  readonly minSeconds?: number | undefined;
  readonly countExchange: CountExchange;
  /** When the request has to be answered, in Unix milliseconds. */
  readonly deadline: number;
  readonly waitUntil: WaitUntil;
};

export type TokenService = (request: TokenRequest) => Promise<TokenResult>;

type Loaded = { readonly cached: CachedToken; readonly cacheOutcome: CacheOutcome; readonly timings: Timings };

/** A read of the store that takes longer is a miss. */
export const STORE_BUDGET_MS = 1000;

/** A load ends by itself: it reads the store, and then exchanges. */
const LOAD_BUDGET_MS = STORE_BUDGET_MS + EXCHANGE_BUDGET_MS;

/** Past this a load that others wait for is lost, and they go alone. */
const FLIGHT_LIFETIME_MS = LOAD_BUDGET_MS + 500;

/**
 * Creates the service that answers with a token for a grant: from memory, from the store, or from one exchange for all
 * who wait. A token is renewed behind an answer while it ages, and before an answer once it nears its end.
 * @throws TokenError `rate_limited` or `upstream_…`, where no cached token will do either.
 */
export function createTokenService(source: TokenSource, ports: TokenServicePorts): TokenService {
  const { memory, store, exchange, now, random, log } = ports;
  const cacheKeyFor = createCacheKeyFor(source);
  const flights = createSingleFlight<Loaded>(FLIGHT_LIFETIME_MS, ports);

  return async function getToken(request) {
    const key = cacheKeyFor(request.grant);
    let own = request;
    for (;;) {
      const cached = fromMemory(key, request);
      if (cached !== undefined) return serve(key, cached, request);
      if (!flights.isUnderWay(key)) return serve(key, await lead(key, own), request);

      try {
        const joined = await flights.join(key, request.deadline);
        if (joined !== undefined && isFor(joined, request)) return serve(key, collapsed(joined), request);
      } catch (error) {
        // The limit, and a rejected token, are those of the request that began the exchange. This one counts once itself.
        if (!isRateLimited(error) || !(await own.countExchange())) {
          return serve(key, standIn(key, request, error), request);
        }
        own = { ...request, countExchange: counted };
      }
      if (now() >= request.deadline) return serve(key, standIn(key, request, tooLate()), request);
    }
  };

  function fromMemory(key: string, { rejectedToken, minSeconds }: TokenRequest): Loaded | undefined {
    const cached = memory.get(key);
    if (cached === undefined || isRejected(cached.token, rejectedToken, nowSeconds())) return undefined;

    const action = cacheActionFor(cached, nowSeconds(), minSeconds);
    if (action === "renew") return undefined;
    return { cached, cacheOutcome: action === "serve-stale" ? "stale" : "hit", timings: {} };
  }

  function serve(key: string, { cached, cacheOutcome, timings }: Loaded, request: TokenRequest): TokenResult {
    if (cacheActionFor(cached, nowSeconds()) === "serve-and-renew" && !flights.isUnderWay(key)) {
      void flights.start(key, () => renew(key, request), request.waitUntil);
    }
    return { token: cached.token, ttlSeconds: secondsLeft(cached.token, nowSeconds()), cacheOutcome, timings };
  }

  /** Renews a token behind an answer. Counted first, so that a client above its limit has no store read for nothing. */
  async function renew(key: string, request: TokenRequest): Promise<Loaded> {
    if (!(await request.countExchange())) throw tooManyExchanges();
    return load(key, { ...request, countExchange: counted });
  }

  /** Begins a load that others can join, and waits for it as long as the request has time. */
  async function lead(key: string, request: TokenRequest): Promise<Loaded> {
    const loading = flights.start(key, () => load(key, request), request.waitUntil);
    try {
      // It ends by itself, so a timer is needed only where the request has spent some of its time before.
      if (now() + LOAD_BUDGET_MS <= request.deadline) return await loading;
      const loaded = await flights.join(key, request.deadline);
      if (loaded !== undefined) return loaded;
      if (flights.isUnderWay(key)) throw tooLate();
      // The runtime has ended it, and the load itself says how.
      return await loading;
    } catch (error) {
      return standIn(key, request, error);
    }
  }

  /** Loads a token that outlives the one in memory: from the store, where another isolate may have put it, or a new one. */
  async function load(key: string, request: TokenRequest): Promise<Loaded> {
    const startedAt = now();
    const entry = await store?.open(key);
    const timings = entry === undefined ? {} : { cacheMs: now() - startedAt };

    const known = memory.get(key)?.token;
    const stored = isSuccessor(entry?.token, known, request) ? entry?.token : undefined;
    if (stored !== undefined && isFresh(stored, nowSeconds())) {
      const found: Loaded = { cached: cachedToken(stored, random()), cacheOutcome: "hit", timings };
      if (isFor(found, request)) return cacheLoaded(key, found);
    }
    try {
      const { token, logId: cozeLogId, signMs, upstreamMs } = await exchange(request.grant, request.countExchange);
      const writing = entry?.write(token);
      if (writing !== undefined) request.waitUntil(writing);
      const cached = cachedToken(token, random());
      return cacheLoaded(key, { cached, cacheOutcome: "miss", timings: { ...timings, signMs, upstreamMs, cozeLogId } });
    } catch (error) {
      if (stored !== undefined) memory.set(key, cachedToken(stored, random()));
      // The limit is that of one client. Whoever else waits for this load counts for itself.
      if (isRateLimited(error)) throw error;

      const latest = stored ?? known;
      if (latest === undefined || !canStandIn(latest, request, error)) throw error;
      log("warn", "renewal_failed", { error: error instanceof TokenError ? error.code : String(error) });
      return cacheLoaded(key, { cached: withRenewalPaused(latest, nowSeconds()), cacheOutcome: "stale", timings });
    }
  }

  /** Whether a stored token comes after the one in memory. An older one was replaced, maybe because Coze refused it. */
  function isSuccessor(
    stored: AccessToken | undefined,
    known: AccessToken | undefined,
    { rejectedToken }: TokenRequest,
  ): boolean {
    if (stored === undefined || isRejected(stored, rejectedToken, nowSeconds())) return false;
    return stored.expiresAt > (known?.expiresAt ?? 0);
  }

  function cacheLoaded(key: string, loaded: Loaded): Loaded {
    memory.set(key, loaded.cached);
    return loaded;
  }

  /**
   * The token in memory, where it can stand in for the one that the request should have got.
   * @throws the reason why it did not get that.
   */
  function standIn(key: string, request: TokenRequest, reason: unknown): Loaded {
    const cached = memory.get(key);
    if (cached === undefined || !canStandIn(cached.token, request, reason)) throw reason;
    return { cached, cacheOutcome: "stale", timings: {} };
  }

  function canStandIn(token: AccessToken, { rejectedToken, minSeconds }: TokenRequest, reason: unknown): boolean {
    if (!isUsable(token, nowSeconds()) || isRejected(token, rejectedToken, nowSeconds())) return false;
    // Coze being down is no fault of the client; asking too often is.
    return !isRateLimited(reason) || hasLifeLeft(token, minSeconds ?? 0, nowSeconds());
  }

  /** Whether what was loaded for one request is what another asks for: a new token is, however short its life. */
  function isFor(loaded: Loaded, { rejectedToken, minSeconds = 0 }: TokenRequest): boolean {
    const { token } = loaded.cached;
    if (isRejected(token, rejectedToken, nowSeconds())) return false;
    return loaded.cacheOutcome === "miss" || hasLifeLeft(token, minSeconds, nowSeconds());
  }

  function nowSeconds(): number {
    return Math.floor(now() / 1000);
  }
}

/** For a request that has been counted already. */
async function counted(): Promise<boolean> {
  return true;
}

function collapsed(loaded: Loaded): Loaded {
  return loaded.cacheOutcome === "miss" ? { ...loaded, cacheOutcome: "collapsed" } : loaded;
}

function isRateLimited(error: unknown): error is TokenError {
  return error instanceof TokenError && error.code === "rate_limited";
}

function tooLate(): TokenError {
  return new TokenError("upstream_timeout", "Coze did not answer in time. Try again.");
}
