import {
  checkErrorResponse,
  type ExpectedErrors,
  parseJson,
  type ReceivedResponse,
} from "../../../tools/soak/response-check.ts";
import type { Fit, Part } from "./part.ts";
import type { RawOutcome } from "./raw-http.ts";
import type { Variant } from "./variant.ts";

/** What the oracle has to know of a request. */
export type OracleRequest = {
  /** Whether it gets a token. */
  readonly fit: Fit;
  readonly method: string;
  readonly origin: Part;
  /** The lines of its head after the first. */
  readonly head: readonly string[];
  /** Whether its bytes are no request, so that there need be no response. */
  readonly isFormless: boolean;
};

export type Verdict = {
  /** `undefined` where there was no response. */
  readonly responder: "the Worker" | "workerd" | undefined;
  readonly what: string;
  readonly issues: readonly string[];
};

/** The errors that may occur: Coze has no faults and the settings are right, so each is the request's own. */
const EXPECTED_ERRORS: ExpectedErrors = {
  invalid_request: 400,
  invalid_scope: 400,
  invalid_client: 401,
  access_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
};

/** What workerd itself responds to bytes that are no HTTP request. */
const WORKERD_RESPONSES: Readonly<Record<number, readonly string[]>> = {
  400: [
    "invalid HTTP method parsed",
    "invalid HTTP version parsed",
    "invalid HTTP header parsed",
    "invalid URI",
    "invalid content-length parsed",
    "invalid transfer-encoding parsed",
    "unexpected transfer-encoding parsed",
  ],
  414: ["URI too long"],
  431: ["message head is too large"],
  501: ["ERROR: Unrecognized request method."],
};

/** What it responds to a request without a Host: its only response without a type. */
const HOSTLESS = { status: 400, text: "Bad Request" };

const FIXED_HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  Pragma: "no-cache",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000",
  Vary: "Origin",
};

const PLAIN_ID = /^[\w=-]{1,128}$/;

/** Checks what became of a request. */
export function checkOutcome(request: OracleRequest, variant: Variant, outcome: RawOutcome): Verdict {
  if (typeof outcome === "string") {
    const isExcused = outcome === "closed without a response" && request.isFormless;
    return { responder: undefined, what: outcome, issues: isExcused ? [] : [outcome] };
  }
  if (isFromWorkerd(request, outcome)) {
    const issues = request.fit === "right" ? [`refused a request that is right: ${outcome.text}`] : [];
    return { responder: "workerd", what: `${outcome.status}`, issues };
  }

  const token = outcome.text.includes("czs_");
  return {
    responder: "the Worker",
    what: token ? "a token" : `${outcome.status}`,
    issues: [
      ...(token && request.fit === "wrong" ? ["a token for a request that is wrong"] : []),
      ...(!token && request.fit === "right" ? [`no token for a request that is right: ${outcome.text}`] : []),
      ...headerIssues(request, variant, outcome),
      ...bodyIssues(request, outcome),
    ],
  };
}

/** By the exact text, and by the headers of it, which are fewer than any response of the Worker has. */
function isFromWorkerd({ method }: OracleRequest, { status, headers, text }: ReceivedResponse): boolean {
  const names = [...headers.keys()].filter((name) => name !== "connection").join();
  if (names === "content-length") return status === HOSTLESS.status && isText(HOSTLESS.text);
  if (names !== "content-length,content-type" || headers.get("Connection") !== "close") return false;
  return WORKERD_RESPONSES[status]?.some(isText) ?? false;

  function isText(expected: string): boolean {
    return text === (method === "HEAD" ? "" : expected);
  }
}

function headerIssues(request: OracleRequest, { name }: Variant, { status, headers }: ReceivedResponse): string[] {
  const expected = { ...FIXED_HEADERS, ...(status === 401 && { "WWW-Authenticate": "Bearer" }) };
  const issues = Object.entries(expected)
    .filter(([name, value]) => headers.get(name) !== value)
    .map(([name]) => `${name}: ${headers.get(name)}`);
  if ((status === 405) !== headers.has("Allow")) issues.push(`Allow: ${headers.get("Allow")} with a ${status}`);
  return [...issues, ...requestIdIssues(request, headers), ...originIssues(request, name, headers)];
}

/** A plain id of the client's own is returned; any other is replaced by one that is plain. */
function requestIdIssues({ head }: OracleRequest, headers: Headers): string[] {
  const id = headers.get("X-Request-Id") ?? "";
  const given = head.flatMap((line) => /^x-request-id:[ \t]*(.*?)[ \t]*$/i.exec(line)?.[1] ?? []).join(", ");
  const isRight = PLAIN_ID.test(given) ? id === given : PLAIN_ID.test(id);
  return isRight ? [] : [`X-Request-Id: ${id} for ${given}`];
}

function originIssues({ origin }: OracleRequest, variantName: Variant["name"], headers: Headers): string[] {
  if (variantName === "closed" && origin.fit === "either") return [];
  const [sent = null] = origin.lines.map((line) => line.replace(/^Origin: ?/, ""));
  const isAllowed = variantName === "open" || origin.fit === "right";

  const allowed = headers.get("Access-Control-Allow-Origin");
  const isRight = allowed === (variantName === "open" ? "*" : isAllowed ? sent : null);
  const isExposed = headers.has("Access-Control-Expose-Headers");
  return isRight && isExposed === isAllowed ? [] : [`Access-Control-Allow-Origin: ${allowed} for ${sent}`];
}

function bodyIssues({ method }: OracleRequest, response: ReceivedResponse): string[] {
  const { status, headers, text } = response;
  if (status === 204) return method === "OPTIONS" && text === "" ? [] : ["a 204 with a body, or not for OPTIONS"];
  if (headers.get("Content-Type") !== "application/json") return [`Content-Type: ${headers.get("Content-Type")}`];
  if (method === "HEAD") return text === "" ? [] : ["a body for a HEAD"];
  if (status !== 200) return [...checkErrorResponse(response, EXPECTED_ERRORS).issues];

  const isHealth = method === "GET" && text.startsWith('{"status":"ok"');
  const isToken = method === "POST" && isTokenBody(parseJson(text));
  return isHealth || isToken ? [] : [`a 200 that is neither a token nor health: ${text.slice(0, 200)}`];
}

function isTokenBody(body: unknown): boolean {
  const names = typeof body === "object" && body !== null ? Object.keys(body) : [];
  return names.join() === "access_token,expires_in,token_type";
}
