import { afterEach, describe, expect, it, vi } from "vitest";
import type { TokenErrorCode } from "../../../src/core/token-error.ts";
import { ERROR_STATUS } from "../../../src/http/error-response.ts";
import { documentedOutcomes, isStaticFile, undocumentedParts } from "../../support/api-description.ts";
import { CAUSES, type Cause, FOREIGN_PAGE, OAUTH_CAUSES, sendIn } from "../../support/causes.ts";
import { CLIENT_CREDENTIALS, form } from "../../support/oauth.ts";
import { propertiesOf } from "../../support/worker.ts";

const HTML = { headers: { Accept: "text/html" } };

/** A Request that is made here always has a valid URL. The tests of the route cause it. */
const WITH_INVALID_HOST = "GET /.well-known/oauth-authorization-server 400 invalid_request";

/** For each outcome in docs/openapi.json, what causes it. The name has the method and the path of the request. */
const OUTCOMES: Readonly<Record<string, Cause>> = {
  "POST / 200": {},
  ...errorsAt("/", CAUSES),

  "POST /oauth2/token 200": { init: form({ grant_type: CLIENT_CREDENTIALS }) },
  ...errorsAt("/oauth2/token", OAUTH_CAUSES),

  "GET /.well-known/oauth-authorization-server 200": {},
  "GET /.well-known/oauth-authorization-server 403 access_denied": FOREIGN_PAGE,
  "GET /.well-known/oauth-authorization-server 500 server_misconfigured": { settings: { KID: "" } },

  "GET / 200": { init: HTML },
  "GET / 403 access_denied": FOREIGN_PAGE,
  "GET / 404 not_found": { init: HTML, settings: { CONSOLE: "off" } },
  "GET / 405 method_not_allowed": {},
  "GET / 500 server_error": {
    init: HTML,
    settings: { ASSETS: { fetch: async () => new Response(null, { status: 404 }) } },
  },

  "OPTIONS / 204": {},
  "OPTIONS / 403 access_denied": FOREIGN_PAGE,

  "GET /health 200": {},
  "GET /health 403 access_denied": FOREIGN_PAGE,
  "GET /health 503": { settings: { KID: "" } },
};

function errorsAt(path: string, causes: Readonly<Partial<Record<TokenErrorCode, Cause>>>) {
  const codes = Object.keys(causes) as TokenErrorCode[]; // the keys of the type
  return Object.fromEntries(codes.map((code) => [`POST ${path} ${ERROR_STATUS[code]} ${code}`, causes[code] ?? {}]));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("docs/openapi.json", () => {
  it("documents in docs/openapi.json exactly the outcomes that are tested", () => {
    const documented = documentedOutcomes((operation) => !isStaticFile(operation));
    expect(documented.toSorted()).toEqual([...Object.keys(OUTCOMES), WITH_INVALID_HOST].toSorted());
  });

  // That the response is as documented is checked by `fetch`, here as in every other test.
  it.each(Object.entries(OUTCOMES))("responds as docs/openapi.json documents: %s", async (outcome, cause) => {
    const [method, path, status, error] = outcome.split(" ");
    const response = await sendIn(cause, `${method} ${path}`);
    expect(response.status).toBe(Number(status));
    if (error !== undefined) expect(await propertiesOf(response)).toMatchObject({ error });
  });
});

describe("the check of each response against docs/openapi.json", () => {
  const health = { status: "ok", access: "open", cache: "kv", version: "1" };
  const headers = { "X-Request-Id": "1" };
  const limited = { error: "rate_limited", error_description: "Too many requests.", request_id: "1" };

  it.each<[string, string, Response, string]>([
    ["a status", "GET /health", Response.json(health, { status: 201, headers }), "The status 201"],
    ["a property", "GET /health", Response.json({ ...health, more: 1 }, { headers }), "more"],
    ["a value", "GET /health", Response.json({ ...health, cache: "disk" }, { headers }), "/cache"],
    ["a property of an error", "POST /", Response.json({ ...limited, problems: [] }, withRetry("5")), "problems"],
    [
      "an error of another status",
      "POST /",
      Response.json({ ...limited, error: "not_found" }, withRetry("5")),
      "error",
    ],
    ["a header", "GET /health", Response.json(health, { headers: { ...headers, "X-More": "1" } }), "x-more"],
    ["the value of a header", "POST /", Response.json(limited, withRetry("soon")), "retry-after"],
    ["a header that is missing", "GET /health", Response.json(health), "x-request-id is missing"],
    ["a media type", "GET /health", new Response("ok", { headers }), "text/plain"],
    ["a path", "GET /nothing", Response.json(health, { headers }), "The status 200"],
    ["a method", "PUT /health", Response.json(health, { headers }), "The status 200"],
  ])("reports %s that docs/openapi.json does not document", async (_what, request, response, sentence) => {
    const [method = "", path = ""] = request.split(" ");
    expect((await undocumentedParts({ method, path }, response)).join(" ")).toContain(sentence);
  });

  it("reports nothing where a response is as documented", async () => {
    const post = { method: "POST", path: "/" };
    expect(await undocumentedParts(post, Response.json(limited, withRetry("5")))).toEqual([]);
    const get = { method: "GET", path: "/health" };
    expect(await undocumentedParts(get, Response.json(health, { headers }))).toEqual([]);
  });

  function withRetry(retryAfter: string): ResponseInit {
    return { status: 429, headers: { ...headers, "Retry-After": retryAfter } };
  }
});
