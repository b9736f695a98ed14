import { checkErrorResponse, type ExpectedErrors, parseJson } from "../../../tools/soak/response-check.ts";
import type { Door } from "./door.ts";
import type { JudgedRequest } from "./judged-request.ts";
import type { RawAnswer, RawOutcome } from "./raw-http.ts";

/** Who answered. */
export type Answerer = "the Worker" | "workerd" | "nobody";

export type Verdict = { readonly answerer: Answerer; readonly what: string; readonly faults: readonly string[] };

/** The errors that may occur: Coze is well and the settings are right, so each is the request's own. */
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

/** What workerd says by itself of bytes that are no HTTP request. */
const WORKERD_ANSWERS: Readonly<Record<number, readonly string[]>> = {
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

/** What it says of a request without a Host, and the only answer that it gives no type. */
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

/** Judges what came of a request. */
export function judgeOutcome(request: JudgedRequest, door: Door, outcome: RawOutcome): Verdict {
  if (typeof outcome === "string") {
    const isExcused = outcome === "closed without an answer" && request.isFormless;
    return { answerer: "nobody", what: outcome, faults: isExcused ? [] : [outcome] };
  }
  if (isFromWorkerd(request, outcome)) {
    const faults = request.fit === "right" ? [`refused a request that is right: ${outcome.text}`] : [];
    return { answerer: "workerd", what: `${outcome.status}`, faults };
  }

  const token = outcome.text.includes("czs_");
  return {
    answerer: "the Worker",
    what: token ? "a token" : `${outcome.status}`,
    faults: [
      ...(token && request.fit === "wrong" ? ["a token for a request that is wrong"] : []),
      ...(!token && request.fit === "right" ? [`no token for a request that is right: ${outcome.text}`] : []),
      ...headerFaults(request, door, outcome),
      ...bodyFaults(request, outcome),
    ],
  };
}

/** By the exact text, and by the headers of it, which are fewer than any answer of the Worker has. */
function isFromWorkerd({ method }: JudgedRequest, { status, headers, text }: RawAnswer): boolean {
  const names = [...headers.keys()].filter((name) => name !== "connection").join();
  if (names === "content-length") return status === HOSTLESS.status && isText(HOSTLESS.text);
  if (names !== "content-length,content-type" || headers.get("Connection") !== "close") return false;
  return WORKERD_ANSWERS[status]?.some(isText) ?? false;

  function isText(expected: string): boolean {
    return text === (method === "HEAD" ? "" : expected);
  }
}

function headerFaults(request: JudgedRequest, { name }: Door, { status, headers }: RawAnswer): string[] {
  const expected = { ...FIXED_HEADERS, ...(status === 401 && { "WWW-Authenticate": "Bearer" }) };
  const faults = Object.entries(expected)
    .filter(([name, value]) => headers.get(name) !== value)
    .map(([name]) => `${name}: ${headers.get(name)}`);
  if ((status === 405) !== headers.has("Allow")) faults.push(`Allow: ${headers.get("Allow")} with a ${status}`);
  return [...faults, ...requestIdFaults(request, headers), ...originFaults(request, name, headers)];
}

/** A plain id of the client's own comes back; any other is replaced by one that is plain. */
function requestIdFaults({ head }: JudgedRequest, headers: Headers): string[] {
  const id = headers.get("X-Request-Id") ?? "";
  const given = head.flatMap((line) => /^x-request-id:[ \t]*(.*?)[ \t]*$/i.exec(line)?.[1] ?? []).join(", ");
  const isRight = PLAIN_ID.test(given) ? id === given : PLAIN_ID.test(id);
  return isRight ? [] : [`X-Request-Id: ${id} for ${given}`];
}

function originFaults({ origin }: JudgedRequest, doorName: Door["name"], headers: Headers): string[] {
  if (doorName === "closed" && origin.fit === "either") return [];
  const [sent = null] = origin.lines.map((line) => line.replace(/^Origin: ?/, ""));
  const isAllowed = doorName === "open" || origin.fit === "right";

  const allowed = headers.get("Access-Control-Allow-Origin");
  const isRight = allowed === (doorName === "open" ? "*" : isAllowed ? sent : null);
  const isExposed = headers.has("Access-Control-Expose-Headers");
  return isRight && isExposed === isAllowed ? [] : [`Access-Control-Allow-Origin: ${allowed} for ${sent}`];
}

function bodyFaults({ method }: JudgedRequest, answer: RawAnswer): string[] {
  const { status, headers, text } = answer;
  if (status === 204) return method === "OPTIONS" && text === "" ? [] : ["a 204 with a body, or not for OPTIONS"];
  if (headers.get("Content-Type") !== "application/json") return [`Content-Type: ${headers.get("Content-Type")}`];
  if (method === "HEAD") return text === "" ? [] : ["a body for a HEAD"];
  if (status !== 200) return [...checkErrorResponse(answer, EXPECTED_ERRORS).issues];

  const isHealth = method === "GET" && text.startsWith('{"status":"ok"');
  const isToken = method === "POST" && isTokenAnswer(parseJson(text));
  return isHealth || isToken ? [] : [`a 200 that is neither a token nor health: ${text.slice(0, 200)}`];
}

function isTokenAnswer(body: unknown): boolean {
  const members = typeof body === "object" && body !== null ? Object.keys(body) : [];
  return members.join() === "access_token,expires_in,token_type";
}
