import { createHash, createHmac } from "node:crypto";
import { lru } from "tiny-lru";
import type { Audit, TokenAttempt } from "../core/audit.ts";
import type { Log } from "../core/log.ts";
import { MAX_KEPT_TOKENS } from "./token-memory.ts";

/** The first 64 bits tell the users and tokens of a log apart. */
const DIGEST_LENGTH = 16;

export type AuditLogDependencies = {
  readonly log: Log;
  /** Bytes of which nobody outside knows any, so that nobody can try user ids against the log. */
  readonly userIdKey: Uint8Array;
  readonly metrics: AnalyticsEngineDataset | undefined;
};

/**
 * Creates the audit log: one line for each request for a token, and the same as a data point where Analytics Engine is
 * bound. User ids stand in it as keyed digests, tokens as digests: never a credential, an assertion or a token.
 */
export function createAuditLog({ log, userIdKey, metrics }: AuditLogDependencies): Audit {
  const userDigest = rememberDigests((userId) => createHmac("sha256", userIdKey).update(userId).digest("hex"));
  const tokenDigest = rememberDigests((token) => createHash("sha256").update(token).digest("hex"));

  return function audit(attempt) {
    const { grant, answer, error } = attempt;
    const user = grant?.userId === undefined ? undefined : userDigest(grant.userId);
    log(levelOf(attempt), "token_request", {
      outcome: error === undefined ? "granted" : "refused",
      request_id: attempt.requestId,
      error: error?.code,
      caller: attempt.caller,
      issuer: attempt.issuer,
      user,
      duration_seconds: grant?.durationSeconds,
      scope: grant?.scope,
      cache: answer?.cacheOutcome,
      token: answer && tokenDigest(answer.token.accessToken),
      total_ms: attempt.durationMs,
      cache_ms: answer?.effort.cacheMs,
      sign_ms: answer?.effort.signMs,
      upstream_ms: answer?.effort.upstreamMs,
      coze_log_id: answer?.effort.cozeLogId,
      coze: error?.coze,
      cause: error?.cause instanceof Error ? error.cause.stack : undefined,
      country: attempt.country,
      colo: attempt.colo,
    });
    metrics?.writeDataPoint({
      indexes: [attempt.caller ?? ""],
      blobs: [error?.code ?? "granted", attempt.issuer, user, answer?.cacheOutcome, attempt.country, attempt.colo].map(
        (blob) => blob ?? "",
      ),
      doubles: [
        attempt.durationMs,
        answer?.effort.cacheMs ?? 0,
        answer?.effort.signMs ?? 0,
        answer?.effort.upstreamMs ?? 0,
      ],
    });
  };
}

function levelOf({ error }: TokenAttempt): "info" | "warn" | "error" {
  if (error === undefined) return "info";
  return error.code === "server_error" ? "error" : "warn";
}

/** Remembers digests, because a hash costs more than all the rest of an answer from memory. */
function rememberDigests(digest: (text: string) => string): (text: string) => string {
  const digests = lru<string>(MAX_KEPT_TOKENS);
  return function rememberedDigest(text) {
    const known = digests.get(text);
    if (known !== undefined) return known;

    const computed = digest(text).slice(0, DIGEST_LENGTH);
    digests.set(text, computed);
    return computed;
  };
}
