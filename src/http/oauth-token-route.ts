import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import { BASIC_CHALLENGE, isBasic } from "./basic-credentials.ts";
import { methodNotAllowed } from "./error-response.ts";
import { type IssuedToken, issueToken } from "./issue-token.ts";
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from "./oauth-grants.ts";
import { type OAuthTokenRequest, readOAuthTokenRequest } from "./oauth-token-request.ts";
import { jsonResponse } from "./response.ts";
import type { Service } from "./service.ts";

/**
 * `POST /oauth2/token`: the token endpoint of RFC 6749 §3.2, for OAuth client libraries. Issues what `POST /` issues, for
 * the grants client credentials, token exchange (RFC 8693) and JWT bearer (RFC 7523).
 */
export function oauthTokenRoute(service: Service, now: () => number): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      if (isBasic(c.req.raw.headers.get("Authorization"))) c.set("challenge", BASIC_CHALLENGE);
      return jsonResponse(c, responseFor(await issueToken(c, service, now, readOAuthTokenRequest)));
    })
    .all("/", methodNotAllowed("POST"));
}

/** The response of RFC 6749 §5.1; JSON leaves out what is undefined. */
function responseFor({ request, grant, result }: IssuedToken<OAuthTokenRequest>) {
  return {
    access_token: result.token.accessToken,
    token_type: "Bearer",
    expires_in: result.ttlSeconds,
    issued_token_type: request.grantType === TOKEN_EXCHANGE ? ACCESS_TOKEN_TYPE : undefined,
    // A request that asks for a scope gets exactly that, or none: then it need not be repeated.
    scope: request.asksForScope ? undefined : grant.scope?.account_permission?.permission_list.join(" "),
  };
}
