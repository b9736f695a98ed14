/** The claims of the JWT that authenticates the app at Coze (RFC 7523 §3; Coze: "OAuth JWT 授权"). */
export type AssertionClaims = {
  /** The OAuth app id. */
  readonly iss: string;
  /** The host of the Coze API of the app's region, without a scheme. */
  readonly aud: string;
  /** Unix seconds. */
  readonly iat: number;
  readonly exp: number;
  /** Coze accepts a JWT once only, and suggests more than 32 characters here. */
  readonly jti: string;
  /** Keeps the conversations and variables of business users apart. */
  readonly session_name?: string;
};

export type AssertionSettings = {
  readonly clientId: string;
  readonly audience: string;
  readonly assertionDurationSeconds: number;
};

/**
 * Makes the claims of one assertion, valid from `nowSeconds` for the configured time.
 * Pure. Without a user there is no `session_name` at all: an empty one would be a session of its own.
 */
export function assertionClaims(
  settings: AssertionSettings,
  userId: string | undefined,
  nowSeconds: number,
  jti: string,
): AssertionClaims {
  return {
    iss: settings.clientId,
    aud: settings.audience,
    iat: nowSeconds,
    exp: nowSeconds + settings.assertionDurationSeconds,
    jti,
    ...(userId !== undefined && { session_name: userId }),
  };
}
