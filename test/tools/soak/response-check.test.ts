import { describe, expect, it } from "vitest";
import { checkResponse, MAX_RESPONSE_MS } from "../../../tools/soak/response-check.ts";

const SENT_AT = 1_800_000_000_000;
const HEADERS = {
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "X-Request-Id": "soak-1",
  "Cache-Status": "coze-token-worker; hit; ttl=42",
};
const TOKEN = { access_token: "czs_x", expires_in: SENT_AT / 1000 + 42, token_type: "Bearer" };
const ERROR = { error: "upstream_timeout", error_description: "Coze did not respond.", request_id: "soak-1" };

type Bend = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly tookMs?: number;
};

function check({ status = 200, headers = {}, body = TOKEN, tookMs = 5 }: Bend) {
  const response = { status, headers: new Headers({ ...HEADERS, ...headers }), text: JSON.stringify(body) };
  return checkResponse("soak-1", response, SENT_AT, SENT_AT + tookMs);
}

const checkError = (bend: Bend) => check({ status: 504, body: ERROR, ...bend });

describe("checkResponse", () => {
  it.each([
    ["hit; ttl=42", "hit"],
    ["hit; ttl=7; detail=stale-on-error", "stale"],
    ["fwd=miss; stored; ttl=900", "miss"],
    ["fwd=miss; collapsed; ttl=900", "collapsed"],
  ])("passes a token with the Cache-Status %s", (status, ending) => {
    expect(check({ headers: { "Cache-Status": `coze-token-worker; ${status}` } })).toEqual({
      ending,
      token: { accessToken: "czs_x", expiresAt: TOKEN.expires_in },
      issues: [],
    });
  });

  it("passes the errors that Coze can cause", () => {
    expect(checkError({})).toEqual({ ending: "upstream_timeout", issues: [] });
    const unavailable = { ...ERROR, error: "upstream_unavailable", coze: { status: 503 } };
    expect(checkError({ status: 503, body: unavailable, headers: { "Retry-After": "5" } }).issues).toEqual([]);
  });

  it.each<[string, Bend]>([
    ["a response that comes too late", { tookMs: MAX_RESPONSE_MS + 1 }],
    ["the id of another request", { headers: { "X-Request-Id": "soak-2" } }],
    ["another type", { headers: { "Content-Type": "text/html" } }],
    ["a response that may be stored", { headers: { "Cache-Control": "max-age=60" } }],
    ["a token that has expired", { body: { ...TOKEN, expires_in: SENT_AT / 1000 } }],
    ["a lifetime instead of an end", { body: { ...TOKEN, expires_in: 900 } }],
    ["another property beside the three", { body: { ...TOKEN, session_name: "ada" } }],
    ["a missing property", { body: { access_token: "czs_x", expires_in: TOKEN.expires_in } }],
    ["another success than 200", { status: 201 }],
    ["an unknown Cache-Status", { headers: { "Cache-Status": "coze-token-worker; fwd=bypass" } }],
  ])("finds in a response with a token %s", (_, bend) => {
    expect(check(bend).issues).toHaveLength(1);
  });

  it.each<[string, Bend]>([
    ["an error that is not listed", { body: { ...ERROR, error: "teapot" } }],
    ["an error of the Worker itself", { status: 500, body: { ...ERROR, error: "server_error" } }],
    ["an error with the status of another", { status: 502 }],
    ["an error with the id of another request", { body: { ...ERROR, request_id: "soak-2" } }],
    ["an error with a property of its own", { body: { ...ERROR, stack: "Error: …" } }],
    ["a description with quotes", { body: { ...ERROR, error_description: 'say "no"' } }],
    ["an empty description", { body: { ...ERROR, error_description: "" } }],
    ["a response of the runtime", { body: "Internal Server Error" }],
    ["a 503 that does not say when to retry", { status: 503, body: { ...ERROR, error: "upstream_unavailable" } }],
  ])("finds in an error response %s", (_, bend) => {
    expect(checkError(bend).issues).toHaveLength(1);
  });
});
