/** An access token as Coze issued it. Times are Unix seconds. */
export type AccessToken = {
  readonly accessToken: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Kept with the token, because a hash costs more than all the rest of an answer from memory. */
  readonly digests: LogDigests;
};

/** What the log calls a token and the user it is for: digests, from which neither can be read. */
export type LogDigests = { readonly token: string; readonly user: string | undefined };

/** Seconds until the token ends; negative once it has. */
export function secondsLeft(token: AccessToken, nowSeconds: number): number {
  return token.expiresAt - nowSeconds;
}
