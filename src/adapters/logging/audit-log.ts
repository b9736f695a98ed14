import type { CozeScope } from "../../core/grant/coze-scope.ts";
import { canonicalScope } from "../../core/grant/scope-lists.ts";
import type { Log } from "../../core/log.ts";
import { excerpt, MAX_EXCERPT_LENGTH } from "../../core/log.ts";
import type { Audit, TokenAttempt } from "../../core/token/audit.ts";
import { type Digester, shortDigest } from "./digester.ts";

/** Longer than the name of any property or parameter. */
const LONG_WORD = /[^\s,;:.]{33,}/g;

export type AuditLogDependencies = {
  readonly log: Log;
  readonly userDigest: Digester["userDigest"];
  readonly metrics: AnalyticsEngineDataset | undefined;
  /** The root span of the request (Cloudflare: "Custom spans"). */
  readonly activeSpan: () => Pick<Span, "isTraced" | "setAttributes"> | undefined;
};

/**
 * Creates the audit log: one line for each token request, a data point if Analytics Engine is bound, and attributes of
 * the span if the request is traced and no cache hit. User ids are logged as keyed digests, tokens and long scopes as
 * digests; credentials, assertions and tokens never are.
 */
export function createAuditLog({ log, userDigest, metrics, activeSpan }: AuditLogDependencies): Audit {
  return async function audit(attempt) {
    const { grant, result, error } = attempt;
    const { token, user } = result?.token.digests ?? {
      token: undefined,
      user: await userDigest(grant?.userId),
    };
    log(logLevelFor(attempt), "token_request", {
      outcome: error === undefined ? "granted" : "refused",
      request_id: attempt.requestId,
      error: error?.code,
      description: attempt.description && loggable(attempt.description, error),
      caller: attempt.caller,
      issuer: attempt.issuer,
      kid: attempt.kid,
      user,
      duration_seconds: grant?.durationSeconds,
      ...(await scopeFields(grant?.scope)),
      cache: result?.cacheOutcome,
      token,
      total_ms: attempt.durationMs,
      cache_ms: result?.timings.cacheMs,
      sign_ms: result?.timings.signMs,
      upstream_ms: result?.timings.upstreamMs,
      attempts: error?.attempts ?? result?.timings.attempts,
      coze_log_id: result?.timings.cozeLogId,
      coze: error?.details.coze,
      cause: error?.cause instanceof Error ? excerpt(String(error.cause.stack)) : undefined,
      country: attempt.country,
      colo: attempt.colo,
    });
    try {
      metrics?.writeDataPoint(dataPointFor(attempt, user));
    } catch (error) {
      log("warn", "metrics_write_failed", { cause: excerpt(String(error)) });
    }
    // To ask for the span costs 5 % of a hit from memory, traced or not, and a hit has nothing to investigate.
    if (result?.cacheOutcome === "hit") return;
    const span = activeSpan();
    if (span?.isTraced) span.setAttributes(spanAttributesFor(attempt));
  };
}

function dataPointFor({ caller, issuer, result, error, country, colo, durationMs }: TokenAttempt, user?: string) {
  const { cacheMs = 0, signMs = 0, upstreamMs = 0 } = result?.timings ?? {};
  return {
    indexes: [caller ?? ""],
    blobs: [error?.code ?? "granted", issuer, user, result?.cacheOutcome, country, colo].map((blob) => blob ?? ""),
    doubles: [durationMs, cacheMs, signMs, upstreamMs],
  };
}

function spanAttributesFor({ caller, result, error }: TokenAttempt) {
  return {
    "token_request.caller": caller,
    "token_request.outcome": error?.code ?? "granted",
    "token_request.cache": result?.cacheOutcome,
  };
}

/**
 * Returns a description without long words where it may name properties of a body: such a name may be a credential in
 * the wrong place.
 */
function loggable(description: string, error: TokenAttempt["error"]): string {
  return error?.code === "invalid_request" ? description.replace(LONG_WORD, "(not logged)") : description;
}

/** Returns the scope, or the digest of its canonical form if it is too long for the log. */
async function scopeFields(scope: CozeScope | undefined): Promise<Readonly<Record<string, unknown>>> {
  if (scope === undefined) return {};
  if (JSON.stringify(scope).length <= MAX_EXCERPT_LENGTH) return { scope };
  return { scope_digest: await shortDigest(canonicalScope(scope)) };
}

function logLevelFor({ error }: TokenAttempt): "info" | "warn" | "error" {
  if (error === undefined) return "info";
  return error.code === "server_error" ? "error" : "warn";
}
