import type { TokenErrorCode } from "../../src/core/token-error.ts";
import { ERROR_STATUS } from "../../src/http/error-response.ts";
import { headerRefs } from "./headers.ts";
import { type ApiResponse, type Reference, refTo, type Schema } from "./openapi.ts";

type ErrorRow = {
  readonly description: string;
  /** Whether Coze's own error is in the response. */
  readonly coze?: "always" | "sometimes";
  readonly hasProblems?: true;
};

/** What each error means. A new code does not compile until it has a row. */
const ERRORS: Readonly<Record<TokenErrorCode, ErrorRow>> = {
  invalid_request: { description: "A header, a parameter or the body is wrong. The description names it." },
  invalid_scope: { description: "The request asks for a longer life or more scope than the caller may be granted." },
  unsupported_grant_type: {
    description: "The service does not support the grant type. The description lists those it does.",
  },
  invalid_grant: { description: "The `subject_token` or `assertion` is no valid JWT of a caller." },
  invalid_client: { description: "The credential is missing, unknown, expired or wrongly signed." },
  access_denied: { description: "The caller may not do this for this user, or from a page of this origin." },
  not_found: { description: "The path does not exist." },
  method_not_allowed: { description: "The path does not support the method." },
  payload_too_large: { description: "The body is too large." },
  unsupported_media_type: { description: "The body has another media type than the one documented." },
  rate_limited: { description: "Too many requests, or too many new tokens. Use each token until it expires." },
  server_misconfigured: { description: "Settings of the service need fixing.", hasProblems: true },
  server_error: { description: "A bug. The log has more under the request id." },
  upstream_rejected: { description: "Coze refused the request.", coze: "always" },
  upstream_invalid_response: { description: "Coze's response is not one that it documents.", coze: "always" },
  upstream_unavailable: { description: "Coze is down, busy or out of reach. Try again.", coze: "sometimes" },
  upstream_timeout: { description: "Coze did not respond in time. Try again." },
  issuer_unavailable: { description: "The issuer of the JWT, or Turnstile, could not be asked. Try again." },
};

const CODES = Object.keys(ERRORS) as TokenErrorCode[]; // the keys of a record of all codes

/** A schema for each error, and for what errors have in common. */
export const ERROR_SCHEMAS: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(CODES.map((code) => [nameFor(code), schemaFor(code)])),
  ErrorDescription: {
    type: "string",
    description: "A sentence that a person can act on, in printable ASCII without quotes and backslashes (RFC 6749).",
    pattern: "^[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{1,500}$",
  },
  RequestId: { type: "string", description: "The same as the header `X-Request-Id`." },
  CozeError: {
    type: "object",
    description: "What Coze's response said, under Coze's own names. Each string is cut to 500 characters.",
    properties: {
      status: { type: "integer", description: "The HTTP status." },
      error_code: { type: "string", examples: ["invalid_client"] },
      error_message: { type: "string", examples: ["invalid jwt: kid not been registred"] },
      log_id: { type: "string", description: "The id that Coze's support asks for." },
    },
    required: ["status"],
    additionalProperties: false,
  },
  SettingProblem: {
    type: "object",
    description: "What is wrong with a setting, without its value.",
    properties: {
      setting: { type: "string", examples: ["TOKEN_DURATION"] },
      problem: { type: "string", examples: ["must be a whole number from 1 to 86399"] },
    },
    required: ["setting", "problem"],
    additionalProperties: false,
  },
};

/** The responses that have one possible error, whatever the path. */
export const ERROR_RESPONSES: Readonly<Record<string, ApiResponse>> = Object.fromEntries(
  CODES.map((code) => [nameFor(code), responseFor([code])]),
);

/** The responses of an operation that can have these errors, by status. */
export function errorResponses(...codes: readonly TokenErrorCode[]): Readonly<Record<string, ApiResponse | Reference>> {
  const byStatus = Map.groupBy(codes, (code) => ERROR_STATUS[code]);
  return Object.fromEntries([...byStatus].map(([status, codesOfStatus]) => [status, responseOrRef(codesOfStatus)]));
}

function responseOrRef(codes: readonly TokenErrorCode[]): ApiResponse | Reference {
  const [code, ...others] = codes;
  return code === undefined || others.length > 0 ? responseFor(codes) : refTo("responses", nameFor(code));
}

function responseFor(codes: readonly TokenErrorCode[]): ApiResponse {
  const statuses = codes.map((code) => ERROR_STATUS[code]);
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].description}`).join(" "),
    headers: headerRefs(
      "X-Request-Id",
      ...(statuses.includes(401) ? (["WWW-Authenticate"] as const) : []),
      ...(statuses.includes(405) ? (["Allow"] as const) : []),
      ...(statuses.includes(429) || statuses.includes(503) ? (["Retry-After"] as const) : []),
    ),
    content: { "application/json": { schema: oneOf(codes) } },
  };
}

function oneOf(codes: readonly TokenErrorCode[]): Schema {
  const refs = codes.map((code) => refTo("schemas", nameFor(code)));
  const [ref, ...others] = refs;
  if (ref !== undefined && others.length === 0) return ref;
  const mapping = Object.fromEntries(codes.map((code, index) => [code, refs[index]?.$ref]));
  return { oneOf: refs, discriminator: { propertyName: "error", mapping } };
}

function schemaFor(code: TokenErrorCode): Schema {
  const { description, coze, hasProblems } = ERRORS[code];
  return {
    type: "object",
    description,
    properties: {
      error: { const: code },
      error_description: refTo("schemas", "ErrorDescription"),
      request_id: refTo("schemas", "RequestId"),
      ...(hasProblems && { problems: { type: "array", items: refTo("schemas", "SettingProblem"), minItems: 1 } }),
      ...(coze !== undefined && { coze: refTo("schemas", "CozeError") }),
    },
    required: [
      "error",
      "error_description",
      "request_id",
      ...(hasProblems ? ["problems"] : []),
      ...(coze === "always" ? ["coze"] : []),
    ],
    additionalProperties: false,
  };
}

/** `invalid_request` is the schema InvalidRequest. */
function nameFor(code: TokenErrorCode): string {
  return code.replace(/(?:^|_)(.)/g, (_match, letter: string) => letter.toUpperCase());
}
