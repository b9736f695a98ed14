import type { Grant } from "../grant/grant.ts";
import type { Log } from "../log.ts";
import { createSingleFlight, type SingleFlightPorts } from "../single-flight.ts";
import { TokenError } from "../token-error.ts";
import { createCacheKeyFor, type TokenSource } from "./cache-key.ts";
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
import type { CacheOutcome, Timings, TokenRequest, TokenResult } from "./token-request.ts";

/** The tokens cached in this isolate: bounded, so any of them can be evicted. */
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

export type TokenService = (request: TokenRequest) => Promise<TokenResult>;

type Loaded = { readonly cached: CachedToken; readonly cacheOutcome: CacheOutcome; readonly timings: Timings };

/** A read of the store that takes longer is a miss. */
export const STORE_BUDGET_MS = 1000;

/** A load ends by itself: it reads the store, then it exchanges. */
const LOAD_BUDGET_MS = STORE_BUDGET_MS + EXCHANGE_BUDGET_MS;

/** After this time a load counts as lost, and the requests that joined it start their own. */
const FLIGHT_LIFETIME_MS = LOAD_BUDGET_MS + 500;

/**
 * Creates the service that gets a token for a grant: from memory, from the store, or from one exchange for all requests
 * that wait. An ageing token is renewed in `waitUntil`, after the response; one near its end is renewed first.
 * @throws TokenError `rate_limited` or `upstream_…`, if no cached token can be served instead.
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
      if (!flights.isUnderWay(key)) return serve(key, await startLoad(key, own), request);

      try {
        const joined = await flights.join(key, request.deadline);
        if (joined !== undefined && isWanted(joined, request)) return serve(key, collapsed(joined), request);
      } catch (error) {
        // The limit, and the rejected token, are those of the request that started the exchange. This one counts itself, once.
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

  /** Renews an ageing token after the response. It counts first, so that a client over its limit costs no read of the store. */
  async function renew(key: string, request: TokenRequest): Promise<Loaded> {
    if (!(await request.countExchange())) throw tooManyExchanges();
    return load(key, { ...request, countExchange: counted });
  }

  /** Starts a load that others can join, and waits for it until the deadline of the request. */
  async function startLoad(key: string, request: TokenRequest): Promise<Loaded> {
    const loading = flights.start(key, () => load(key, request), request.waitUntil);
    try {
      // It ends by itself, so a timer is needed only if the request has used up some of its time before.
      if (now() + LOAD_BUDGET_MS <= request.deadline) return await loading;
      await flights.join(key, request.deadline);
      if (flights.isUnderWay(key)) throw tooLate();
      return await loading;
    } catch (error) {
      return standIn(key, request, error);
    }
  }

  /** Loads a token that outlives the one in memory: from the store, where another isolate may have written it, or a new one. */
  async function load(key: string, request: TokenRequest): Promise<Loaded> {
    const startedAt = now();
    const entry = await store?.open(key);
    const timings = entry === undefined ? {} : { cacheMs: now() - startedAt };

    const known = memory.get(key)?.token;
    const found = entry?.token;
    const stored = isSuccessor(found, known, request) ? found : undefined;
    if (stored !== undefined && isFresh(stored, nowSeconds())) {
      const hit: Loaded = { cached: cachedToken(stored, random()), cacheOutcome: "hit", timings };
      if (isWanted(hit, request)) return cacheLoaded(key, hit);
    }
    try {
      const { token, logId: cozeLogId, ...totals } = await exchange(request.grant, request.countExchange);
      const writing = entry?.write(token);
      if (writing !== undefined) request.waitUntil(writing);
      const cached = cachedToken(token, random());
      return cacheLoaded(key, { cached, cacheOutcome: "miss", timings: { ...timings, ...totals, cozeLogId } });
    } catch (error) {
      if (stored !== undefined) memory.set(key, cachedToken(stored, random()));
      // The limit is that of one client. The requests that joined count for themselves.
      if (isRateLimited(error)) throw error;

      const latest = stored ?? known;
      if (latest === undefined || !canStandIn(latest, request, error)) throw error;
      log("warn", "renewal_failed", { error: error instanceof TokenError ? error.code : String(error) });
      return cacheLoaded(key, { cached: withRenewalPaused(latest, nowSeconds()), cacheOutcome: "stale", timings });
    }
  }

  /** Whether a stored token is newer than the one in memory. An older one was replaced, maybe because Coze rejected it. */
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
   * The token in memory, if it can be served although it should have been renewed.
   * @throws `reason`, why it was not renewed, if it cannot.
   */
  function standIn(key: string, request: TokenRequest, reason: unknown): Loaded {
    const cached = memory.get(key);
    if (cached === undefined || !canStandIn(cached.token, request, reason)) throw reason;
    return { cached, cacheOutcome: "stale", timings: {} };
  }

  function canStandIn(token: AccessToken, { rejectedToken, minSeconds }: TokenRequest, reason: unknown): boolean {
    if (!isUsable(token, nowSeconds()) || isRejected(token, rejectedToken, nowSeconds())) return false;
    // While Coze is down, less life than the client wants is better than nothing. Over its limit, it gets what it may.
    return !isRateLimited(reason) || hasLifeLeft(token, minSeconds ?? 0, nowSeconds());
  }

  /** Whether a loaded token is what the request wants. */
  function isWanted({ cached: { token } }: Loaded, { rejectedToken, minSeconds = 0 }: TokenRequest): boolean {
    return !isRejected(token, rejectedToken, nowSeconds()) && hasLifeLeft(token, minSeconds, nowSeconds());
  }

  function nowSeconds(): number {
    return Math.floor(now() / 1000);
  }
}

/** The count of a request that has been counted already. */
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
  return new TokenError("upstream_timeout", "Coze did not respond in time. Try again.");
}
