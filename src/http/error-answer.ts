import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Log } from "../core/log.ts";
import { TokenError, type TokenErrorCode } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";

/** The HTTP status of each error. A new code does not compile until it has a row. */
export const ERROR_STATUS = {
  invalid_request: 400,
  invalid_scope: 400,
  access_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  server_misconfigured: 500,
  server_error: 500,
  upstream_rejected: 502,
  upstream_invalid_response: 502,
  upstream_unavailable: 503,
  upstream_timeout: 504,
} satisfies Record<TokenErrorCode, ContentfulStatusCode>;

/** When another try makes sense, where nobody has said so. */
const DEFAULT_RETRY_AFTER_SECONDS = 5;

/** A description may quote what a caller sent, but no more of it than helps. */
const MAX_DESCRIPTION_LENGTH = 400;

/** Creates the handler of everything thrown on the way to an answer. */
export function createErrorHandler(log: Log) {
  return function answerError(error: Error, c: Context<AppEnv>): Response {
    if (error instanceof TokenError) return answer(error, c, log);
    return answer(new TokenError("server_error", "Something went wrong here. Try again.", { cause: error }), c, log);
  };
}

/** Creates the handler of paths that do not exist. */
export function createNotFoundHandler(log: Log) {
  return function answerNotFound(c: Context<AppEnv>): Response {
    return answer(new TokenError("not_found", "There is nothing at this path. Tokens are at POST /."), c, log);
  };
}

/** RFC 6749 §5.2, extended by the request id and what is known of the cause. */
function answer({ code, message, details }: TokenError, c: Context<AppEnv>, log: Log): Response {
  const { coze, problems, allow, cause } = details;
  const { requestId } = c.var;
  const stack = cause instanceof Error ? cause.stack : undefined;
  const status = ERROR_STATUS[code];
  if (allow !== undefined) c.header("Allow", allow);
  if (status === 503) c.header("Retry-After", String(details.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS));
  if (status >= 500) {
    const facts = { request_id: requestId, error: code, description: message, coze, problems, cause: stack };
    log(code === "server_error" ? "error" : "warn", "request_failed", facts);
  }
  return c.json({ error: code, error_description: printable(message), request_id: requestId, problems, coze }, status);
}

/** RFC 6749 §5.2 allows printable ASCII without quotation marks and backslashes. */
function printable(text: string): string {
  return text.slice(0, MAX_DESCRIPTION_LENGTH).replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "?");
}
