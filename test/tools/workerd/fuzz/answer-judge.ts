import { type ExpectedErrors, parseJson, readErrorAnswer } from "../../../../tools/soak/error-answer.ts";
import type { Door } from "./door.ts";
import type { JudgedRequest } from "./judged-request.ts";
import type { RawAnswer, RawOutcome } from "./raw-http.ts";

/** Who answered. */
export type Answerer = "the Worker" | "workerd" | "nobody";

export type Verdict = { readonly answerer: Answerer; readonly what: string; readonly faults: readonly string[] };

/** Coze is well and the settings are right, so every error is the request's own. */
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
    "Bad Request",
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
    const isExcused = outcome === "closed without an answer" && request.isUnfinished;
    return { answerer: "nobody", what: outcome, faults: isExcused ? [] : [outcome] };
  }
  if (!outcome.headers.has("X-Request-Id")) return judgeWorkerd(request, outcome);

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

function judgeWorkerd({ fit, method }: JudgedRequest, { status, text }: RawAnswer): Verdict {
  const own = WORKERD_ANSWERS[status] ?? [];
  const isKnown = own.includes(text) || (own.length > 0 && method === "HEAD" && text === "");
  return {
    answerer: "workerd",
    what: `${status} ${text}`,
    faults: isKnown && fit !== "right" ? [] : [`not an answer of the Worker: ${status} ${text}`],
  };
}

function headerFaults(request: JudgedRequest, { name }: Door, { headers }: RawAnswer): string[] {
  const faults = Object.entries(FIXED_HEADERS)
    .filter(([name, value]) => headers.get(name) !== value)
    .map(([name]) => `${name}: ${headers.get(name)}`);

  const id = headers.get("X-Request-Id") ?? "";
  const given = request.head.flatMap((line) => /^x-request-id:[ \t]*(.*?)[ \t]*$/i.exec(line)?.[1] ?? []);
  const isEcho = given.length === 1 && given[0] === id;
  if (!PLAIN_ID.test(id)) faults.push(`X-Request-Id: ${id}`);
  if (isEcho !== (given.length === 1 && PLAIN_ID.test(given[0] ?? ""))) faults.push(`X-Request-Id: ${id} for ${given}`);

  const allowed = headers.get("Access-Control-Allow-Origin");
  const [sent] = request.origin.lines.map((line) => line.replace(/^Origin: ?/, ""));
  const expected = name === "open" ? "*" : request.origin.fit === "right" ? (sent ?? null) : null;
  if ((name === "open" || request.origin.fit !== "either") && allowed !== expected) {
    faults.push(`Access-Control-Allow-Origin: ${allowed} for ${sent}`);
  }
  return faults;
}

function bodyFaults({ method }: JudgedRequest, answer: RawAnswer): string[] {
  const { status, headers, text } = answer;
  if (status === 204) return method === "OPTIONS" && text === "" ? [] : ["a 204 with a body, or not for OPTIONS"];
  if (headers.get("Content-Type") !== "application/json") return [`Content-Type: ${headers.get("Content-Type")}`];
  if (method === "HEAD") return text === "" ? [] : ["a body for a HEAD"];
  if (status !== 200) return [...readErrorAnswer(answer, EXPECTED_ERRORS).faults];

  const isHealth = method === "GET" && text.startsWith('{"status":"ok"');
  const isToken = method === "POST" && isTokenAnswer(parseJson(text));
  return isHealth || isToken ? [] : [`a 200 that is neither a token nor health: ${text.slice(0, 200)}`];
}

function isTokenAnswer(body: unknown): boolean {
  const members = typeof body === "object" && body !== null ? Object.keys(body) : [];
  return members.join() === "access_token,expires_in,token_type";
}
