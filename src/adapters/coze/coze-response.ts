import { excerpt } from "../../core/log.ts";
import type { AccessToken } from "../../core/token/token.ts";
import { type CozeError, isUnknownKey, TokenError } from "../../core/token-error.ts";

/** A response of the Coze token endpoint, before it is parsed. */
export type CozeResponse = {
  readonly status: number;
  /** `X-Tt-Logid`, which Coze's support uses to find the request, cut to 500 characters. */
  readonly logId: string | undefined;
  readonly retryAfter: string | undefined;
  /** `undefined` if it was too large to read. */
  readonly body: string | undefined;
};

/** The token in a response. */
export type CozeToken = Omit<AccessToken, "digests">;

/** The requested life of a token. It starts at the `iat` of the assertion, in Unix seconds. */
export type RequestedLife = { readonly issuedAt: number; readonly durationSeconds: number };

/** Above it, `expires_in` is a Unix time, as Coze documents; below, it is a lifetime, as in RFC 6749 §5.1. */
const MIN_UNIX_TIME = 1e9;

/** Caps Retry-After, because one header must not close the service for an hour. */
const MAX_RETRY_AFTER_SECONDS = 300;

/** The properties of the JSON that mean something here, each of any type until it is looked at. */
type CozeBody = {
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
  readonly error_code?: unknown;
  readonly error_message?: unknown;
  readonly error?: unknown;
  // The error format of Coze's other APIs, which a gateway in front of this one may use.
  readonly code?: unknown;
  readonly msg?: unknown;
};

/** What to do about each documented refusal. Trying again does not help. */
const REFUSALS: Readonly<Record<string, string>> = {
  invalid_client: "Coze refused the assertion. Do CLIENT_ID, KID and PRIVATE_KEY belong to the same app and key pair?",
  invalid_request: "Coze refused the request as invalid. See coze.error_message for the parameter.",
  unsupported_grant_type: "Coze does not support the JWT grant here. Is TOKEN_ENDPOINT the URL of the token endpoint?",
  access_deny: "Coze denies the app access. Is it an OAuth app of type JWT, and active?",
};

const REGION_REFUSAL =
  "Coze does not know the signing key. Is the app from the same region as TOKEN_ENDPOINT (coze.cn or coze.com), and KID the fingerprint of its key?";

/**
 * Parses a response of Coze. Its `error_code` takes precedence over its status. A token never expires later than
 * requested, whatever the response says. `nowSeconds` is when the response was read, in Unix seconds.
 * @throws TokenError `upstream_rejected`, `upstream_unavailable` (can be retried) or `upstream_invalid_response`.
 */
export function parseCozeResponse(response: CozeResponse, requested: RequestedLife, nowSeconds: number): CozeToken {
  const body = parseBody(response.body);
  const coze = cozeErrorFor(response, body);

  if (coze.error_code === "internal_error") throw unavailable(response, coze, nowSeconds);
  if (coze.error_code !== undefined && Object.hasOwn(REFUSALS, coze.error_code)) throw rejected(coze);
  if (response.status === 429 || response.status >= 500) throw unavailable(response, coze, nowSeconds);
  if (response.body === undefined) throw invalid("is larger than 64 KiB", coze);
  if (response.status >= 300 && response.status < 400) throw invalid("is a redirect, which is not followed", coze);
  if (body === undefined) throw invalid("is not a JSON object: check that TOKEN_ENDPOINT is the right URL", coze);
  if (coze.error_code !== undefined || response.status >= 400) throw rejected(coze);
  return issuedToken(body, coze, requested, nowSeconds);
}

function issuedToken(body: CozeBody, coze: CozeError, requested: RequestedLife, nowSeconds: number): CozeToken {
  const { access_token: accessToken, expires_in: expiresIn } = body;
  if (typeof accessToken !== "string" || accessToken === "") throw invalid("has no access_token", coze);
  if (typeof expiresIn !== "number" || !(expiresIn > 0)) throw invalid("has no valid expires_in", coze);

  const { issuedAt, durationSeconds } = requested;
  const statedExpiresAt = Math.floor(expiresIn > MIN_UNIX_TIME ? expiresIn : issuedAt + expiresIn);
  const expiresAt = Math.min(statedExpiresAt, issuedAt + durationSeconds);
  if (expiresAt <= nowSeconds) throw invalid("has a token that has already expired", coze);
  return { accessToken, issuedAt, expiresAt };
}

function parseBody(json: string | undefined): CozeBody | undefined {
  try {
    const body: unknown = JSON.parse(json ?? "");
    return typeof body === "object" && body !== null && !Array.isArray(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function cozeErrorFor(response: CozeResponse, body: CozeBody | undefined): CozeError {
  const errorCode = toExcerpt(body?.error_code) ?? toExcerpt(body?.code === 0 ? undefined : body?.code);
  const errorMessage = toExcerpt(body?.error_message) ?? toExcerpt(body?.msg) ?? toExcerpt(body?.error);
  return {
    status: response.status,
    ...(errorCode !== undefined && { error_code: errorCode }),
    ...(errorMessage !== undefined && { error_message: errorMessage }),
    ...(response.logId !== undefined && { log_id: response.logId }),
  };
}

function toExcerpt(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? excerpt(value) : undefined;
}

function rejected(coze: CozeError): TokenError {
  return new TokenError("upstream_rejected", descriptionFor(coze), { coze });
}

function descriptionFor(coze: CozeError): string {
  // The most common failure.
  if (isUnknownKey(coze)) return REGION_REFUSAL;
  return REFUSALS[coze.error_code ?? ""] ?? "Coze refused the request. See coze for its error.";
}

function unavailable(response: CozeResponse, coze: CozeError, nowSeconds: number): TokenError {
  const retryAfterSeconds = parseRetryAfter(response.retryAfter, nowSeconds);
  return new TokenError("upstream_unavailable", "Coze is temporarily unavailable. Try again.", {
    coze,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** Parses both forms of the header (RFC 9110 §10.2.3) to whole seconds. */
function parseRetryAfter(header: string | undefined, nowSeconds: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil(Date.parse(header) / 1000) - nowSeconds;
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}

function invalid(issue: string, coze: CozeError): TokenError {
  return new TokenError("upstream_invalid_response", `The response from Coze ${issue}.`, { coze });
}
