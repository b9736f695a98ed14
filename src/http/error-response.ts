import type { Context, Handler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Issue } from "../core/issue.ts";
import { excerpt, type Log } from "../core/log.ts";
import { TokenError, type TokenErrorCode } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";
import { jsonResponse } from "./response.ts";

/** The HTTP status of each error. A new code does not compile until it has a row. */
export const ERROR_STATUS = {
  invalid_request: 400,
  invalid_scope: 400,
  unsupported_grant_type: 400,
  invalid_grant: 400,
  invalid_client: 401,
  access_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  server_misconfigured: 500,
  server_error: 500,
  upstream_rejected: 502,
  upstream_invalid_response: 502,
  upstream_unavailable: 503,
  upstream_timeout: 504,
  issuer_unavailable: 503,
} satisfies Record<TokenErrorCode, ContentfulStatusCode>;

/** `Retry-After` of an error that does not set its own. */
const DEFAULT_RETRY_AFTER_SECONDS = 5;

/** Creates the handler that turns everything thrown into an error response, and logs what is not a TokenError. */
export function createErrorHandler(log: Log) {
  return function respondWithError(error: Error, c: Context<AppEnv>): Response {
    if (!(error instanceof TokenError)) {
      log("error", "unexpected_error", { request_id: c.get("requestId"), cause: excerpt(String(error.stack)) });
    }
    return respond(toTokenError(error), c);
  };
}

/** Returns the error to respond with: a bug is a `server_error`, and its cause. */
export function toTokenError(error: Error): TokenError {
  if (error instanceof TokenError) return error;
  return new TokenError("server_error", "An unexpected error occurred. Try again.", { cause: error });
}

/**
 * Returns the `error_description` of an error: printable ASCII without quotes and backslashes (RFC 6749 §5.2), which a
 * description that quotes the client may not be, of up to 500 characters.
 */
export function descriptionFor({ message }: TokenError): string {
  return excerpt(message).replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "?");
}

/** Responds with 404 to a path that does not exist. */
export function respondNotFound(c: Context<AppEnv>): Response {
  return respond(new TokenError("not_found", "This path does not exist. Request tokens with POST /."), c);
}

/**
 * Handles the methods that a path does not support. OPTIONS never gets here: the CORS middleware has already responded.
 * @throws TokenError `method_not_allowed`, always.
 */
export function methodNotAllowed(...methods: readonly string[]): Handler<AppEnv> {
  const allow = [...methods, "OPTIONS"].join(", ");
  return function methodNotAllowed(c) {
    throw new TokenError("method_not_allowed", `This path does not support ${c.req.method}. It supports ${allow}.`, {
      allow,
    });
  };
}

/** Issues with settings in the form in which responses carry them. */
export function settingProblems(issues: readonly Issue[]) {
  return issues.map(({ path, message }) => ({ setting: path, problem: message }));
}

/** The body follows RFC 6749 §5.2, with the request id and details of the cause added. */
function respond(error: TokenError, c: Context<AppEnv>): Response {
  const { code, details } = error;
  const { coze, issues, allow, retryAfterSeconds = DEFAULT_RETRY_AFTER_SECONDS } = details;
  const status = ERROR_STATUS[code];
  const headers = c.get("headers");
  if (allow !== undefined) headers["Allow"] = allow;
  if (status === 401) headers["WWW-Authenticate"] = c.get("challenge") ?? "Bearer";
  if (status === 429 || status === 503) headers["Retry-After"] = String(retryAfterSeconds);
  const body = {
    error: code,
    error_description: descriptionFor(error),
    request_id: c.get("requestId"),
    problems: issues && settingProblems(issues),
    coze,
  };
  return jsonResponse(c, body, status);
}
