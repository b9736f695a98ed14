import type { Issue } from "./issue.ts";

/** Every reason for which a request ends without a token. `http/error-response.ts` has its HTTP status. */
export type TokenErrorCode =
  | "invalid_request"
  | "invalid_scope"
  | "unsupported_grant_type"
  | "invalid_grant"
  | "invalid_client"
  | "access_denied"
  | "not_found"
  | "method_not_allowed"
  | "payload_too_large"
  | "unsupported_media_type"
  | "rate_limited"
  | "server_misconfigured"
  | "server_error"
  | "upstream_rejected"
  | "upstream_invalid_response"
  | "upstream_unavailable"
  | "upstream_timeout"
  | "issuer_unavailable";

/** What Coze's error response says, under Coze's own names; each string is cut to 500 characters. */
export type CozeError = {
  readonly status: number;
  readonly error_code?: string;
  readonly error_message?: string;
  readonly log_id?: string;
};

/** Tells whether a refusal is about the key or its signature, so that another key may be accepted. */
export function isKeyRefusal(coze: CozeError): boolean {
  return coze.error_code === "invalid_client" || isUnknownKey(coze);
}

/** Tells whether Coze does not know the key: its gateway says 4100, its token endpoint the misspelt sentence. */
export function isUnknownKey({ error_code, error_message = "" }: CozeError): boolean {
  return error_code === "4100" || error_message.includes("kid not been regist");
}

export type TokenErrorDetails = {
  readonly cause?: unknown;
  readonly coze?: CozeError | undefined;
  /** Issues with settings. */
  readonly issues?: readonly Issue[];
  /** Whole seconds after which another try makes sense. */
  readonly retryAfterSeconds?: number;
  /** The methods that the path allows. */
  readonly allow?: string;
  /** The JWT that was refused, for the log. */
  readonly jwt?: JwtFacts;
};

/** Which key of which issuer signed a JWT, or so it says: `kid` is its header's, cut to 500 characters. */
export type JwtFacts = { readonly issuer: string; readonly kid: string | undefined };

/** The one error of this service: a code for machines, a sentence a person can act on, and the cause. */
export class TokenError extends Error {
  readonly code: TokenErrorCode;
  readonly details: TokenErrorDetails;
  /** How often Coze was asked before; `undefined` if there was no exchange, which is what sets it. */
  attempts: number | undefined;

  constructor(code: TokenErrorCode, description: string, details: TokenErrorDetails = {}) {
    super(description, { cause: details.cause });
    this.name = "TokenError";
    this.code = code;
    this.details = details;
  }
}
