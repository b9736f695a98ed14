/** An access token as Coze issued it. Times are Unix seconds. */
export type IssuedToken = {
  readonly accessToken: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
};

/** No token is handed out with less than a tenth of its life left … */
const RESERVE_FRACTION = 0.1;
/** … or less than a minute, in which a page can still finish what it began … */
const RESERVE_SECONDS = 60;
/** … or, for a token too short-lived for that, half its life. */
const RESERVE_CEILING_FRACTION = 0.5;

/** Seconds until the token ends; negative once it has. */
export function secondsLeft(token: IssuedToken, nowSeconds: number): number {
  return token.expiresAt - nowSeconds;
}

/** Tells whether a cached token may still be handed out: more than max(10 % of its life, min(60 s, half its life)) is left. */
export function isFresh(token: IssuedToken, nowSeconds: number): boolean {
  const lifetime = token.expiresAt - token.issuedAt;
  const reserve = Math.max(RESERVE_FRACTION * lifetime, Math.min(RESERVE_SECONDS, RESERVE_CEILING_FRACTION * lifetime));
  return secondsLeft(token, nowSeconds) > reserve;
}
