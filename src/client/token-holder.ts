import { createBackoff } from "./backoff.ts";
import { ageMs, type Moment, readClocks } from "./clock.ts";
import type { RequestFailure, RequestResult, TokenNeed } from "./token-request.ts";

/** What a token holder needs of the world. */
export type TokenHolderOptions = {
  /** Makes one request. Rejects only with errors of the caller's own functions, which end a load at once. */
  readonly request: (need: TokenNeed) => Promise<RequestResult>;
  readonly toError: (failure: RequestFailure) => Error;
  /** Is told of failures that reject no call, because the cached token still serves. Throws nothing. */
  readonly onError: (error: unknown) => void;
};

/** The token of one identity. */
export type TokenHolder = {
  /** Gets a token, from the cache if it serves. A failed renewal of a token that is still usable rejects nothing. */
  readonly get: (need: TokenNeed) => Promise<string>;
  readonly isBusy: () => boolean;
};

type HeldToken = { readonly value: string; readonly ttlMs: number; readonly requestedAt: Moment };

/** A token with less may end on its way to Coze. Of tokens shorter than 20 s, a quarter of their life. */
const MIN_LEFT_MS = 5000;
/** In one load. One request and three repetitions bridge a restart and a lost connection; more would only be a burden. */
const MAX_REQUESTS = 4;
/** Far more than a page meets; bounds what a process remembers that runs for months. */
const MAX_REJECTED = 50;

/**
 * Creates the holder of one identity's token. At most one request is under way. After a failure, no request begins
 * before a pause is over, whichever caller asks. A 4xx ends a load at once; after it only renewals behind a usable token
 * pause, because a caller without one may have changed what was wrong.
 */
export function createTokenHolder({ request, toError, onError }: TokenHolderOptions): TokenHolder {
  let cached: HeldToken | undefined;
  let load: Promise<string> | undefined;
  /** The greatest need of the callers that wait for the load. */
  let minSeconds = 0;
  /** Tokens that Coze rejected. Returned again only if the service returns one although it was told. */
  const rejected = new Set<string>();
  /** The rejected token to tell the service of, until it has issued another. */
  let unreported: string | undefined;
  const backoff = createBackoff(toError);

  return { get, isBusy: () => load !== undefined };

  async function get(need: TokenNeed): Promise<string> {
    const { rejectedToken } = need;
    if (rejectedToken && (!cached || cached.value === rejectedToken)) reject(rejectedToken);
    if (cached && hasSecondsLeft(cached, need.minSeconds)) {
      if (leftMs(cached) < cached.ttlMs / 4 && !load && backoff.leftMs() <= 0) join().catch(onError);
      return cached.value;
    }

    minSeconds = Math.max(minSeconds, need.minSeconds);
    try {
      return await join();
    } catch (error) {
      if (!cached || !hasSecondsLeft(cached, 0)) throw error;
      onError(error);
      return cached.value;
    }
  }

  function reject(token: string): void {
    cached = undefined;
    unreported = token;
    rejected.add(token);
    for (const oldest of rejected) if (rejected.size > MAX_REJECTED) rejected.delete(oldest);
  }

  /** Joins the load that is under way, or starts one. */
  function join(): Promise<string> {
    load ??= requestUntilServed().finally(() => {
      load = undefined;
      minSeconds = 0;
    });
    return load;
  }

  /** Requests until a response satisfies everybody who waits, including those who joined while it was under way. */
  async function requestUntilServed(): Promise<string> {
    const startedAt = readClocks();
    for (let requests = 1; ; requests += 1) {
      await backoff.wait(startedAt);
      const need = { minSeconds, rejectedToken: unreported };
      const requestedAt = readClocks();
      const response = await request(need).catch((error) => {
        backoff.start(undefined);
        throw error;
      });

      const isLast = requests >= MAX_REQUESTS;
      let failure: RequestFailure;
      if (!("token" in response)) {
        failure = response;
      } else if (rejected.has(response.token) && response.token !== need.rejectedToken) {
        unreported = response.token;
        if (!isLast) continue;
        failure = { code: "token_rejected", description: "All tokens are rejected." };
      } else {
        const token = { value: response.token, ttlMs: response.ttlSeconds * 1000, requestedAt };
        if (leftMs(token) > 0) {
          accept(token);
          // The service grants at most half a token's life as minimum: what was asked for is not asked again.
          if (isLast || minSeconds <= need.minSeconds || hasSecondsLeft(token, minSeconds)) return token.value;
          continue;
        }
        failure = { code: "token_expired", description: "The token has expired." };
      }

      const isFinal = (failure.status ?? 500) < 500 && failure.status !== 429;
      backoff.start(isFinal ? undefined : failure);
      if (isFinal || isLast) throw toError(failure);
    }
  }

  function accept(token: HeldToken): void {
    cached = token;
    rejected.delete(token.value);
    unreported = undefined;
    backoff.reset();
  }
}

/** Life counts from the request, not from the response: the service cannot have issued the token earlier than that. */
function leftMs({ ttlMs, requestedAt }: HeldToken): number {
  return ttlMs - ageMs(requestedAt);
}

function hasSecondsLeft(token: HeldToken, minSeconds: number): boolean {
  return leftMs(token) > Math.max(minSeconds * 1000, Math.min(MIN_LEFT_MS, token.ttlMs / 4));
}
