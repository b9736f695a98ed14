import { cacheKeyFor, type Grant, type TokenSource } from "./grant.ts";
import { type IssuedToken, isFresh, secondsLeft } from "./issued-token.ts";

/** Where issued tokens are kept. It never fails: what cannot be read is a miss. */
export type TokenCache = {
  readonly get: (key: string) => Promise<IssuedToken | undefined>;
  /** The write under way, which never rejects; `undefined` for a token that this cache cannot keep. */
  readonly put: (key: string, token: IssuedToken) => Promise<void> | undefined;
};

/** A token, and how it was come by. */
export type TokenAnswer = {
  readonly token: IssuedToken;
  readonly ttlSeconds: number;
  /** `miss-stored`: new, and on its way into the cache. */
  readonly cacheOutcome: "hit" | "miss" | "miss-stored";
};

export type TokenServicePorts = {
  readonly cache: TokenCache | undefined;
  readonly exchange: (grant: Grant) => Promise<IssuedToken>;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/** Answers with a token for the grant. `afterAnswer` takes work that the caller need not wait for. */
export type TokenService = (grant: Grant, afterAnswer: (work: Promise<unknown>) => void) => Promise<TokenAnswer>;

/** Creates the service that takes a token from the cache while it is fresh, and from Coze otherwise. */
export function createTokenService(source: TokenSource, { cache, exchange, now }: TokenServicePorts): TokenService {
  return async function issueToken(grant, afterAnswer) {
    const key = cacheKeyFor(source, grant);
    const cached = await cache?.get(key);
    if (cached !== undefined && isFresh(cached, nowSeconds())) return answer(cached, "hit");

    const token = await exchange(grant);
    const write = cache?.put(key, token);
    if (write === undefined) return answer(token, "miss");

    afterAnswer(write);
    return answer(token, "miss-stored");
  };

  function answer(token: IssuedToken, cacheOutcome: TokenAnswer["cacheOutcome"]): TokenAnswer {
    return { token, ttlSeconds: secondsLeft(token, nowSeconds()), cacheOutcome };
  }

  function nowSeconds(): number {
    return Math.floor(now() / 1000);
  }
}
