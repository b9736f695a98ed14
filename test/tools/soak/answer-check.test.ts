import { describe, expect, it } from "vitest";
import { MAX_ANSWER_MS, readAnswer } from "../../../tools/soak/answer-check.ts";
import { askedBy } from "./records.ts";

const SENT_AT = 1_800_000_000_000;
const HEADERS = {
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "X-Request-Id": "soak-1",
  "Cache-Status": "coze-token-worker; hit; ttl=42",
};
const TOKEN = { access_token: "czs_x", expires_in: SENT_AT / 1000 + 42, token_type: "Bearer" };
const ERROR = { error: "upstream_timeout", error_description: "Coze did not answer.", request_id: "soak-1" };

type Bend = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly tookMs?: number;
};

function read({ status = 200, headers = {}, body = TOKEN, tookMs = 5 }: Bend) {
  const answer = { status, headers: new Headers({ ...HEADERS, ...headers }), text: JSON.stringify(body) };
  return readAnswer(askedBy(), answer, SENT_AT, SENT_AT + tookMs);
}

const readError = (bend: Bend) => read({ status: 504, body: ERROR, ...bend });

describe("the check of an answer", () => {
  it.each([
    ["hit; ttl=42", "hit"],
    ["hit; ttl=7; detail=stale-on-error", "stale"],
    ["fwd=miss; stored; ttl=900", "miss"],
    ["fwd=miss; collapsed; ttl=900", "collapsed"],
  ])("passes a token with the Cache-Status %s", (status, ending) => {
    expect(read({ headers: { "Cache-Status": `coze-token-worker; ${status}` } })).toEqual({
      ending,
      token: { accessToken: "czs_x", expiresAt: TOKEN.expires_in },
      faults: [],
    });
  });

  it("passes the errors that Coze can cause", () => {
    expect(readError({})).toEqual({ ending: "upstream_timeout", faults: [] });
    const unavailable = { ...ERROR, error: "upstream_unavailable", coze: { status: 503 } };
    expect(readError({ status: 503, body: unavailable, headers: { "Retry-After": "5" } }).faults).toEqual([]);
  });

  it.each<[string, Bend]>([
    ["an answer that comes too late", { tookMs: MAX_ANSWER_MS + 1 }],
    ["the id of another request", { headers: { "X-Request-Id": "soak-2" } }],
    ["another type", { headers: { "Content-Type": "text/html" } }],
    ["an answer that may be stored", { headers: { "Cache-Control": "max-age=60" } }],
    ["a token that is over", { body: { ...TOKEN, expires_in: SENT_AT / 1000 } }],
    ["a lifetime in place of an end", { body: { ...TOKEN, expires_in: 900 } }],
    ["another member beside the three", { body: { ...TOKEN, session_name: "ada" } }],
    ["a missing member", { body: { access_token: "czs_x", expires_in: TOKEN.expires_in } }],
    ["another success than 200", { status: 201 }],
    ["an unknown Cache-Status", { headers: { "Cache-Status": "coze-token-worker; fwd=bypass" } }],
  ])("finds %s", (_, bend) => {
    expect(read(bend).faults).toHaveLength(1);
  });

  it.each<[string, Bend]>([
    ["an error that is not listed", { body: { ...ERROR, error: "teapot" } }],
    ["an error of the Worker itself", { status: 500, body: { ...ERROR, error: "server_error" } }],
    ["an error with the status of another", { status: 502 }],
    ["an error with the id of another request", { body: { ...ERROR, request_id: "soak-2" } }],
    ["an error with a member of its own", { body: { ...ERROR, stack: "Error: …" } }],
    ["a description with quotes", { body: { ...ERROR, error_description: 'say "no"' } }],
    ["an empty description", { body: { ...ERROR, error_description: "" } }],
    ["an answer of the runtime", { body: "Internal Server Error" }],
    ["a 503 that does not say when to retry", { status: 503, body: { ...ERROR, error: "upstream_unavailable" } }],
  ])("finds %s", (_, bend) => {
    expect(readError(bend).faults).toHaveLength(1);
  });
});
