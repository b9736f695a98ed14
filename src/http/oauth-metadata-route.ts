import { Hono } from "hono";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";
import { methodNotAllowed } from "./error-response.ts";
import { authMethodsFor, grantTypesFor } from "./oauth-grants.ts";
import { jsonResponse } from "./response.ts";
import { requireReady, type Service } from "./service.ts";

/**
 * `GET /.well-known/oauth-authorization-server`: describes the token endpoint (RFC 8414). The issuer is the origin that
 * the client sees. It shows in which ways callers authenticate, and nothing else about them.
 */
export function oauthMetadataRoute(service: Service): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/", (c) => {
      const issuer = URL.parse(c.req.raw.url)?.origin;
      if (issuer === undefined) throw new TokenError("invalid_request", "The header Host is invalid.");
      const { credentialKinds } = requireReady(service);
      return jsonResponse(c, {
        issuer,
        token_endpoint: `${issuer}/oauth2/token`,
        grant_types_supported: grantTypesFor(credentialKinds),
        token_endpoint_auth_methods_supported: authMethodsFor(credentialKinds),
        response_types_supported: [], // there is no authorization endpoint
      });
    })
    .all("/", methodNotAllowed("GET", "HEAD"));
}
