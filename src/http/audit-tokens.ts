import type { MiddlewareHandler } from "hono";
import type { Caller } from "../core/auth/caller.ts";
import type { Audit } from "../core/token/audit.ts";
import type { AppEnv } from "./app-env.ts";
import { descriptionFor, toTokenError } from "./error-response.ts";

/** Reports each token request to the audit log after it is handled, with everything its handler learned about it. */
export function auditTokens(audit: Audit, now: () => number): MiddlewareHandler<AppEnv> {
  return async function auditTokens(c, next) {
    await next();

    const cf = c.req.raw.cf as IncomingRequestCfProperties | undefined; // Cloudflare adds it to each request
    const error = c.error && toTokenError(c.error);
    const refusedJwt = error?.details.jwt;
    await audit({
      requestId: c.get("requestId"),
      caller: c.get("caller")?.name,
      issuer: issuerFor(c.get("caller")) ?? refusedJwt?.issuer,
      kid: c.get("kid") ?? refusedJwt?.kid,
      grant: c.get("grant"),
      result: c.get("result"),
      error,
      description: error && descriptionFor(error),
      durationMs: now() - c.env.startedAt,
      colo: cf?.colo,
      country: cf?.country,
    });
  };
}

function issuerFor(caller: Caller | undefined): string | undefined {
  return caller?.credentialRule.kind === "jwt" ? caller.credentialRule.issuer : undefined;
}
