import { type AccessToken, secondsLeft } from "./token.ts";

/** A token in the memory of an isolate, and when to renew it. Times are Unix seconds. */
export type CachedToken = {
  readonly token: AccessToken;
  /** After this it is renewed in `waitUntil`. */
  readonly renewAfter: number;
  /** After a renewal that failed, none is tried before this. */
  readonly pausedUntil: number;
};

/** What to do with a cached token when it is asked for. */
export type CacheAction = "serve" | "serve-and-renew" | "serve-stale" | "renew";

/** No token is handed out with less than a tenth of its life left … */
const RESERVE_FRACTION = 0.1;
/** … or less than a minute, in which a page can still finish what it began … */
const RESERVE_SECONDS = 60;
/** … or, for a token too short-lived for that, half its life. */
const RESERVE_CEILING_FRACTION = 0.5;

/** In the last quarter of its life a token is renewed while no request waits … */
const AGEING_FRACTION = 0.25;
/** … at moments that differ by up to a tenth of that, so that isolates do not all renew at once. */
const AGEING_JITTER = 0.1;

/** A client can ask for half a life at most, so that a new token is not renewed again at once. */
const MAX_MIN_LIFE_FRACTION = 0.5;

/** A token that cannot be renewed is still useful while a request or two can be made with it. */
const MIN_USABLE_SECONDS = 5;
/** The pause after a renewal that failed. */
const RENEWAL_PAUSE_SECONDS = 30;
/** A token that is rejected sooner lacks a permission, and a new one would lack it too. */
const MIN_REJECTED_AGE_SECONDS = 10;

/** Puts a token into the cache. `random` is from 0 up to, but not including, 1. */
export function cachedToken(token: AccessToken, random: number): CachedToken {
  const ageing = AGEING_FRACTION * (1 - AGEING_JITTER * random) * lifetimeOf(token);
  return { token, renewAfter: token.expiresAt - ageing, pausedUntil: 0 };
}

/** A cached token whose renewal has failed; the next try waits up to 30 seconds, but not until it is too late. */
export function withRenewalPaused(token: AccessToken, nowSeconds: number): CachedToken {
  const latest = token.expiresAt - MIN_USABLE_SECONDS;
  return { token, renewAfter: nowSeconds, pausedUntil: Math.min(nowSeconds + RENEWAL_PAUSE_SECONDS, latest) };
}

/**
 * Decides what to do with a cached token: serve it while more than max(10 % of its life, min(60 s, half its life)) is
 * left, and in about the last quarter of its life also renew it in `waitUntil`; below that line, or with less left
 * than `minSeconds`, renew it first, unless that has just failed.
 */
export function cacheActionFor(
  { token, renewAfter, pausedUntil }: CachedToken,
  nowSeconds: number,
  minSeconds = 0,
): CacheAction {
  const isPaused = nowSeconds < pausedUntil;
  const isServable = isFresh(token, nowSeconds) && hasLifeLeft(token, minSeconds, nowSeconds);
  if (isServable) return nowSeconds >= renewAfter && !isPaused ? "serve-and-renew" : "serve";
  return isPaused && isUsable(token, nowSeconds) ? "serve-stale" : "renew";
}

/** Tells whether enough of a token's life is left to hand it out without thought of renewal. */
export function isFresh(token: AccessToken, nowSeconds: number): boolean {
  const lifetime = lifetimeOf(token);
  const reserve = Math.max(RESERVE_FRACTION * lifetime, Math.min(RESERVE_SECONDS, RESERVE_CEILING_FRACTION * lifetime));
  return secondsLeft(token, nowSeconds) > reserve;
}

/** Tells whether a token has the seconds left that a client asks for; more than half of its life counts as half. */
export function hasLifeLeft(token: AccessToken, minSeconds: number, nowSeconds: number): boolean {
  return secondsLeft(token, nowSeconds) >= Math.min(minSeconds, MAX_MIN_LIFE_FRACTION * lifetimeOf(token));
}

/** Tells whether a token is better than none. */
export function isUsable(token: AccessToken, nowSeconds: number): boolean {
  return secondsLeft(token, nowSeconds) >= MIN_USABLE_SECONDS;
}

/** Tells whether a token must be replaced because Coze has rejected it. */
export function isRejected(token: AccessToken, rejectedToken: string | undefined, nowSeconds: number): boolean {
  return token.accessToken === rejectedToken && nowSeconds - token.issuedAt >= MIN_REJECTED_AGE_SECONDS;
}

function lifetimeOf(token: AccessToken): number {
  return token.expiresAt - token.issuedAt;
}
