import type { MiddlewareHandler } from "hono";
import type { Caller } from "../core/auth/caller.ts";
import type { Audit, TokenAttempt } from "../core/token/audit.ts";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";

/** Has each request for a token written down once it is answered, with what its handler found out about it. */
export function auditTokens(audit: Audit, now: () => number): MiddlewareHandler<AppEnv> {
  return async function auditTokens(c, next) {
    await next();

    const cf = c.req.raw.cf as IncomingRequestCfProperties | undefined; // what Cloudflare adds to each request
    await audit({
      requestId: c.get("requestId"),
      caller: c.get("caller")?.name,
      issuer: issuerOf(c.get("caller")),
      grant: c.get("grant"),
      result: c.get("result"),
      error: c.error && errorOf(c.error),
      durationMs: now() - c.env.startedAt,
      colo: cf?.colo,
      country: cf?.country,
    });
  };
}

function issuerOf(caller: Caller | undefined): string | undefined {
  return caller?.credentialRule.kind === "jwt" ? caller.credentialRule.issuer : undefined;
}

function errorOf(error: Error): TokenAttempt["error"] {
  if (!(error instanceof TokenError)) return { code: "server_error", coze: undefined, cause: error };
  return { code: error.code, coze: error.details.coze, cause: error.details.cause };
}
