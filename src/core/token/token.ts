/** An access token as Coze issued it. Times are Unix seconds. */
export type IssuedToken = {
  readonly accessToken: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Kept with the token, because a hash costs more than all the rest of an answer from memory. */
  readonly logNames: LogNames;
};

/** What the log calls a token and the user it is for: digests, from which neither can be read. */
export type LogNames = { readonly token: string; readonly user: string | undefined };

/** Seconds until the token ends; negative once it has. */
export function secondsLeft(token: IssuedToken, nowSeconds: number): number {
  return token.expiresAt - nowSeconds;
}
