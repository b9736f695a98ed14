import * as z from "zod/mini";
import { excerpt } from "../../core/log.ts";
import type { AccessToken } from "../../core/token/token.ts";
import { type CozeError, isUnknownKey, TokenError } from "../../core/token-error.ts";

/** An answer of the Coze token endpoint as it came in. */
export type CozeResponse = {
  readonly status: number;
  /** `X-Tt-Logid`, by which Coze's support finds the call, cut to 500 characters. */
  readonly logId: string | undefined;
  readonly retryAfter: string | undefined;
  /** `undefined` when it was too large to read. */
  readonly text: string | undefined;
};

/** What an answer says of the token in it. */
export type CozeToken = Omit<AccessToken, "digests">;

/** What Coze was requested for: a token that lives so long from the assertion's `iat`, in Unix seconds. */
export type RequestedLife = { readonly issuedAt: number; readonly durationSeconds: number };

/** Above it, `expires_in` is a moment in Unix seconds, as Coze documents; below, a lifetime, as RFC 6749 §5.1 has it. */
const MIN_UNIX_TIME = 1e9;

/** A longer Retry-After is not believed, as one header must not close the service for an hour. */
const MAX_RETRY_AFTER_SECONDS = 300;

const cozeBody = z.looseObject({
  access_token: z.optional(z.unknown()),
  expires_in: z.optional(z.unknown()),
  error_code: z.optional(z.unknown()),
  error_message: z.optional(z.unknown()),
  error: z.optional(z.unknown()),
  // The shape of Coze's other APIs, which a gateway in front of this one may use.
  code: z.optional(z.unknown()),
  msg: z.optional(z.unknown()),
});
type CozeBody = z.infer<typeof cozeBody>;

/** The refusals that Coze documents, which no second try will change, and what to do about each. */
const REFUSALS: Readonly<Record<string, string>> = {
  invalid_client: "Coze refused the assertion. Do CLIENT_ID, KID and PRIVATE_KEY belong to the same app and key pair?",
  invalid_request: "Coze calls the request invalid and names the parameter in coze.error_message.",
  unsupported_grant_type: "Coze does not know the JWT grant here. Is TOKEN_ENDPOINT the address of the token endpoint?",
  access_deny: "Coze denies the app access. Is it an OAuth app of type JWT, and active?",
};

const REGION_REFUSAL =
  "Coze does not know the signing key. Is the app from the same region as TOKEN_ENDPOINT (coze.cn or coze.com), and KID the fingerprint of its key?";

/**
 * Judges a response of Coze: by its `error_code` first, by its status second. A token counts as living no longer than
 * was requested for, whatever the response says. `nowSeconds`, in Unix seconds, is when the response was read.
 * @throws TokenError `upstream_rejected`, `upstream_unavailable` (worth another try) or `upstream_invalid_response`.
 */
export function parseCozeResponse(response: CozeResponse, requested: RequestedLife, nowSeconds: number): CozeToken {
  const body = parseBody(response.text);
  const words = cozeErrorFor(response, body);

  if (words.error_code === "internal_error") throw unavailable(response, words, nowSeconds);
  if (words.error_code !== undefined && Object.hasOwn(REFUSALS, words.error_code)) throw rejected(words);
  if (response.status === 429 || response.status >= 500) throw unavailable(response, words, nowSeconds);
  if (response.text === undefined) throw invalid("is larger than 64 KiB", words);
  if (response.status >= 300 && response.status < 400) throw invalid("is a redirect, which is not followed", words);
  if (body === undefined) throw invalid("is not a JSON object. Is TOKEN_ENDPOINT the right address?", words);
  if (words.error_code !== undefined || response.status >= 400) throw rejected(words);
  return issuedToken(body, words, requested, nowSeconds);
}

function issuedToken(body: CozeBody, words: CozeError, requested: RequestedLife, nowSeconds: number): CozeToken {
  const { access_token: accessToken, expires_in: expiresIn } = body;
  if (typeof accessToken !== "string" || accessToken === "") throw invalid("holds no access_token", words);
  if (typeof expiresIn !== "number" || !(expiresIn > 0)) throw invalid("holds no usable expires_in", words);

  const { issuedAt, durationSeconds } = requested;
  const statedExpiresAt = Math.floor(expiresIn > MIN_UNIX_TIME ? expiresIn : issuedAt + expiresIn);
  const expiresAt = Math.min(statedExpiresAt, issuedAt + durationSeconds);
  if (expiresAt <= nowSeconds) throw invalid("holds a token that has already ended, or came when it had", words);
  return { accessToken, issuedAt, expiresAt };
}

function parseBody(text: string | undefined): CozeBody | undefined {
  try {
    return cozeBody.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

function cozeErrorFor(response: CozeResponse, body: CozeBody | undefined): CozeError {
  const errorCode = textOf(body?.error_code) ?? textOf(body?.code === 0 ? undefined : body?.code);
  const errorMessage = textOf(body?.error_message) ?? textOf(body?.msg) ?? textOf(body?.error);
  return {
    status: response.status,
    ...(errorCode !== undefined && { error_code: errorCode }),
    ...(errorMessage !== undefined && { error_message: errorMessage }),
    ...(response.logId !== undefined && { log_id: response.logId }),
  };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? excerpt(value) : undefined;
}

function rejected(coze: CozeError): TokenError {
  return new TokenError("upstream_rejected", refusalOf(coze), { coze });
}

function refusalOf(coze: CozeError): string {
  // The commonest failure of all.
  if (isUnknownKey(coze)) return REGION_REFUSAL;
  return REFUSALS[coze.error_code ?? ""] ?? "Coze refused the request. Its own words are in coze.";
}

function unavailable(response: CozeResponse, coze: CozeError, nowSeconds: number): TokenError {
  const retryAfterSeconds = parseRetryAfter(response.retryAfter, nowSeconds);
  return new TokenError("upstream_unavailable", "Coze is not able to answer at the moment. Try again.", {
    coze,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** Whole seconds from either form of the header (RFC 9110 §10.2.3). */
function parseRetryAfter(header: string | undefined, nowSeconds: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil(Date.parse(header) / 1000) - nowSeconds;
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}

function invalid(problem: string, coze: CozeError): TokenError {
  return new TokenError("upstream_invalid_response", `The answer of Coze ${problem}.`, { coze });
}
