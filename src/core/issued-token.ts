/** An access token as Coze issued it. Times are Unix seconds. */
export type IssuedToken = {
  readonly accessToken: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
};

/** Seconds until the token ends; negative once it has. */
export function secondsLeft(token: IssuedToken, nowSeconds: number): number {
  return token.expiresAt - nowSeconds;
}
