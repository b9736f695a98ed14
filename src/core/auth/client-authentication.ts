import { TokenError } from "../token-error.ts";
import type { Authenticate } from "./authenticator.ts";

/**
 * Authenticates like `authenticate`, for a client that also says which caller it is (HTTP Basic, RFC 6749 §2.3.1).
 * @throws TokenError `invalid_client` also for the credential of a caller with another name.
 */
export function authenticateAs(callerName: string, authenticate: Authenticate): Authenticate {
  return async function authenticateAs(credential, waitUntil, deadline) {
    const authenticated = await authenticate(credential, waitUntil, deadline);
    if (authenticated.caller.name === callerName) return authenticated;
    throw new TokenError("invalid_client", "The client_id is not the name of the caller that the API key belongs to.");
  };
}

/**
 * Authenticates like `authenticate`, with a JWT that is itself the grant (RFC 7523 §3.1). An API key is not one.
 * @throws TokenError `invalid_grant` for a credential that is no valid JWT of a caller.
 */
export function authenticateByGrant(authenticate: Authenticate): Authenticate {
  return async function authenticateByGrant(jwt, waitUntil, deadline) {
    const authenticated = await authenticate(jwt, waitUntil, deadline).catch((error: unknown) => {
      if (!(error instanceof TokenError) || error.code !== "invalid_client") throw error;
      throw new TokenError("invalid_grant", error.message, error.details);
    });
    if (authenticated.caller.credentialRule.kind === "jwt") return authenticated;
    throw new TokenError("invalid_grant", "The credential is not a JWT. Send an API key in the header Authorization.");
  };
}
