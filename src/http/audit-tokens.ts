import type { MiddlewareHandler } from "hono";
import type { Caller } from "../core/auth/caller.ts";
import type { Audit, TokenAttempt } from "../core/token/audit.ts";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";

/** Reports each token request to the audit log after it is handled, with everything its handler learned about it. */
export function auditTokens(audit: Audit, now: () => number): MiddlewareHandler<AppEnv> {
  return async function auditTokens(c, next) {
    await next();

    const cf = c.req.raw.cf as IncomingRequestCfProperties | undefined; // Cloudflare adds it to each request
    await audit({
      requestId: c.get("requestId"),
      caller: c.get("caller")?.name,
      issuer: issuerFor(c.get("caller")),
      grant: c.get("grant"),
      result: c.get("result"),
      error: c.error && toAttemptError(c.error),
      durationMs: now() - c.env.startedAt,
      colo: cf?.colo,
      country: cf?.country,
    });
  };
}

function issuerFor(caller: Caller | undefined): string | undefined {
  return caller?.credentialRule.kind === "jwt" ? caller.credentialRule.issuer : undefined;
}

function toAttemptError(error: Error): TokenAttempt["error"] {
  if (!(error instanceof TokenError)) return { code: "server_error", coze: undefined, cause: error };
  return { code: error.code, coze: error.details.coze, cause: error.details.cause };
}
