import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ERROR_STATUS } from "../../../src/http/error-response.ts";
import { CAUSES, type Cause, OAUTH_CAUSES, sendIn } from "../../support/causes.ts";
import { createTestApp } from "../../support/coze.ts";
import { kvThatThrowsOn } from "../../support/kv.ts";
import { propertiesOf, startWorker } from "../../support/worker.ts";

type TestCase = {
  readonly cause: Cause;
  /** By default `POST /`. */
  readonly request?: string;
  readonly description: string;
  /** Properties in addition to the three that every error has. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
};

/** For each error of the table, a request that produces it. */
const TEST_CASES: Readonly<Record<keyof typeof ERROR_STATUS, TestCase>> = {
  invalid_request: { cause: CAUSES.invalid_request, description: "X-User-ID is empty" },
  invalid_scope: { cause: CAUSES.invalid_scope, description: "900 seconds" },
  invalid_client: {
    cause: CAUSES.invalid_client,
    description: "credential is required",
    headers: { "WWW-Authenticate": "Bearer" },
  },
  unsupported_grant_type: {
    cause: OAUTH_CAUSES.unsupported_grant_type,
    request: "POST /oauth2/token",
    description: "The grant types of this service are: client_credentials.",
  },
  invalid_grant: {
    cause: OAUTH_CAUSES.invalid_grant,
    request: "POST /oauth2/token",
    description: "nor a JWT it trusts",
  },
  rate_limited: {
    cause: CAUSES.rate_limited,
    description: "Too many requests",
    headers: { "Retry-After": "60" },
  },
  issuer_unavailable: {
    cause: CAUSES.issuer_unavailable,
    description: "http://127.0.0.1:9 could not be fetched",
    headers: { "Retry-After": "5" },
  },
  access_denied: { cause: CAUSES.access_denied, description: "https://evil.example may not" },
  not_found: { cause: {}, request: "POST /nothing", description: "path does not exist" },
  method_not_allowed: {
    cause: {},
    request: "PUT /",
    description: "does not support PUT",
    headers: { Allow: "POST, OPTIONS" },
  },
  payload_too_large: { cause: CAUSES.payload_too_large, description: "16384 bytes" },
  unsupported_media_type: { cause: CAUSES.unsupported_media_type, description: "application/json" },
  server_misconfigured: {
    cause: CAUSES.server_misconfigured,
    description: "KID, TOKEN_DURATION",
    more: {
      problems: [
        { setting: "KID", problem: "is required" },
        { setting: "TOKEN_DURATION", problem: "must be a whole number from 1 to 86399" },
      ],
    },
  },
  server_error: { cause: CAUSES.server_error, description: "unexpected error" },
  upstream_rejected: {
    cause: CAUSES.upstream_rejected,
    description: "same region as TOKEN_ENDPOINT",
    more: {
      coze: {
        status: 401,
        error_code: "invalid_client",
        error_message: "invalid jwt: kid not been registred",
        log_id: expect.stringMatching(/^\w{34}$/),
      },
    },
  },
  upstream_invalid_response: {
    cause: CAUSES.upstream_invalid_response,
    description: "not a JSON object",
    more: { coze: { status: 200, log_id: expect.any(String) } },
  },
  upstream_unavailable: {
    cause: CAUSES.upstream_unavailable,
    description: "temporarily unavailable",
    more: { coze: { status: 503, error_message: "busy", log_id: expect.any(String) } },
    headers: { "Retry-After": "5" },
  },
  upstream_timeout: { cause: CAUSES.upstream_timeout, description: "did not respond in time" },
};

let logged: string[];

beforeEach(() => {
  logged = [];
  for (const level of ["info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line: string) => logged.push(line));
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("every error of the table", () => {
  const codes = Object.keys(TEST_CASES) as (keyof typeof TEST_CASES)[]; // the keys of a literal

  it.each(codes)("responds to %s with the error properties, its status and its headers", async (code) => {
    const testCase = TEST_CASES[code];
    const response = await sendIn(testCase.cause, testCase.request ?? "POST /");

    expect(response.status).toBe(ERROR_STATUS[code]);
    expect(await propertiesOf(response)).toEqual({
      error: code,
      error_description: expect.stringContaining(testCase.description),
      request_id: response.headers.get("X-Request-Id"),
      ...testCase.more,
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "x-request-id": expect.stringMatching(/^[\w-]{36}$/),
      "cache-control": "no-store",
      pragma: "no-cache",
      "x-content-type-options": "nosniff",
    });
    for (const [name, value] of Object.entries(testCase.headers ?? {})) expect(response.headers.get(name)).toBe(value);
  });

  it.each(codes.filter((code) => code !== "access_denied"))(
    "lets pages of other origins read the error %s",
    async (code) => {
      const { cause, request = "POST /" } = TEST_CASES[code];
      const settings = { ALLOWED_ORIGINS: "https://app.example.com", ...cause.settings };
      const response = await sendIn({ ...cause, settings, init: fromPage(cause.init) }, request);
      expect(response.status).toBe(ERROR_STATUS[code]);
      expect(response.headers.get("Access-Control-Allow-Origin")).toMatch(/^(https:\/\/app\.example\.com|\*)$/);
      expect(response.headers.get("Access-Control-Expose-Headers")).toContain("X-Request-Id");
    },
  );
});

function fromPage(init: RequestInit = {}): RequestInit {
  return { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), Origin: "https://app.example.com" } };
}

describe("the log", () => {
  it("logs errors of Coze with request id and log id", async () => {
    const response = await sendIn(CAUSES.upstream_rejected, "POST /");
    expect(logged.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        level: "warn",
        event: "token_request",
        outcome: "refused",
        request_id: response.headers.get("X-Request-Id"),
        error: "upstream_rejected",
        coze: expect.objectContaining({ error_code: "invalid_client", log_id: expect.any(String) }),
      }),
    );
  });

  it("logs the stack of a bug, which the response does not show", async () => {
    const response = await sendIn(CAUSES.server_error, "POST /");
    expect(await response.text()).not.toContain("a bug");
    expect(logged.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ level: "error", error: "server_error", cause: expect.stringContaining("a bug") }),
    );
  });

  it("never logs a private key, an assertion or a token, whatever Coze echoes", async () => {
    const app = await createTestApp();
    const seen: string[] = [];
    const realFetch = globalThis.fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const assertion = new Headers(init?.headers).get("Authorization")?.slice("Bearer ".length) ?? "";
      seen.push(assertion);
      expect(assertion.split(".")).toHaveLength(3);
      const headers = { "X-Tt-Logid": `log id of ${assertion}` };
      if (seen.length > 1) return new Response((await realFetch(input, init)).body, { headers });
      const body = { error_code: "invalid_client", error_message: `bad jwt ${assertion}` };
      return Response.json(body, { status: 401, headers });
    });
    const worker = await startWorker({ ...app.settings, TOKEN_CACHE: kvThatThrowsOn("get") });
    const refused = await (await worker.post("ada")).text();
    const { access_token: token } = await propertiesOf(await worker.post("ada"));

    expect(refused).toContain("bad jwt [assertion]");
    expect(refused).toContain("log id of [assertion]");
    expect(token).toEqual(expect.any(String));
    const everything = logged.join("\n") + refused;
    for (const secret of [...seen, String(token), "PRIVATE KEY-----"]) expect(everything).not.toContain(secret);
  });
});
