/** An access token as Coze issued it. Times are Unix seconds. */
export type AccessToken = {
  readonly accessToken: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Cached with the token: a hash costs more than the rest of a response from memory. */
  readonly digests: LogDigests;
};

/** Digests of a token and its user for the log, from which neither can be read. */
export type LogDigests = { readonly token: string; readonly user: string | undefined };

/** Seconds until the token ends; negative once it has. */
export function secondsLeft(token: AccessToken, nowSeconds: number): number {
  return token.expiresAt - nowSeconds;
}
