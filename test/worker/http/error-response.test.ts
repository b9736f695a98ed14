import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ERROR_STATUS } from "../../../src/http/error-response.ts";
import { createTestApp, type Fault, type TestApp } from "../../support/coze.ts";
import { kvThatThrowsOn } from "../../support/kv.ts";
import { form } from "../../support/oauth.ts";
import { json, membersOf, startWorker, type TestWorker } from "../../support/worker.ts";

type TestCase = {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly fault?: Fault;
  readonly send: (worker: TestWorker) => Promise<Response>;
  readonly description: string;
  /** Properties in addition to the three that every error has. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
};

const post = (worker: TestWorker) => worker.post("ada");

/** A well-formed JWT of an issuer that is down. */
const UNSIGNED_JWT = [{ alg: "RS256", kid: "1" }, { iss: "http://127.0.0.1:9" }, ""]
  .map((part) => btoa(part === "" ? "signature" : JSON.stringify(part)).replace(/=+$/, ""))
  .join(".");

/** For each error of the table, a request that produces it. */
const TEST_CASES: Readonly<Record<keyof typeof ERROR_STATUS, TestCase>> = {
  invalid_request: { send: (worker) => worker.post(""), description: "X-User-ID is empty" },
  invalid_scope: { send: (worker) => worker.post("ada", json({ duration_seconds: 9999 })), description: "900 seconds" },
  invalid_client: {
    settings: { CALLERS: [{ name: "script", key_sha256: "0".repeat(64) }] },
    send: post,
    description: "credential is required",
    headers: { "WWW-Authenticate": "Bearer" },
  },
  unsupported_grant_type: {
    send: (worker) => worker.fetch("/oauth2/token", form({ grant_type: "password" })),
    description: "The grant types of this service are: client_credentials.",
  },
  invalid_grant: {
    settings: { CALLERS: [{ name: "users", issuer: "http://127.0.0.1:9", audience: "a" }] },
    send: (worker) =>
      worker.fetch(
        "/oauth2/token",
        form({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: "no-jwt" }),
      ),
    description: "nor a JWT it trusts",
  },
  rate_limited: {
    settings: { RATE_LIMITER: { limit: async () => ({ success: false }) } },
    send: post,
    description: "Too many requests",
    headers: { "Retry-After": "60" },
  },
  issuer_unavailable: {
    settings: { CALLERS: [{ name: "users", issuer: "http://127.0.0.1:9", audience: "a" }] },
    send: (worker) => worker.post("ada", { headers: { Authorization: UNSIGNED_JWT } }),
    description: "http://127.0.0.1:9 could not be fetched",
    headers: { "Retry-After": "5" },
  },
  access_denied: {
    settings: { ALLOWED_ORIGINS: "https://app.example.com" },
    send: (worker) => worker.post("ada", { headers: { Origin: "https://evil.example" } }),
    description: "https://evil.example may not",
  },
  not_found: { send: (worker) => worker.fetch("/nothing", { method: "POST" }), description: "path does not exist" },
  method_not_allowed: {
    send: (worker) => worker.fetch("/", { method: "PUT" }),
    description: "does not support PUT",
    headers: { Allow: "POST, OPTIONS" },
  },
  payload_too_large: {
    send: (worker) => worker.post("ada", { ...json({}), body: " ".repeat(20_000) }),
    description: "16384 bytes",
  },
  unsupported_media_type: { send: (worker) => worker.post("ada", { body: "a" }), description: "application/json" },
  server_misconfigured: {
    settings: { KID: "", TOKEN_DURATION: "ten" },
    send: post,
    description: "KID, TOKEN_DURATION",
    more: {
      problems: [
        { setting: "KID", problem: "is required" },
        { setting: "TOKEN_DURATION", problem: "must be a whole number from 1 to 86399" },
      ],
    },
  },
  server_error: {
    // A call that never fails otherwise.
    send: async (worker) => {
      vi.spyOn(crypto, "getRandomValues").mockImplementation(throwOutright);
      return worker.post("ada");
    },
    description: "unexpected error",
  },
  upstream_rejected: {
    settings: { KID: "unknown" },
    send: post,
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
    fault: { response: { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>hello</html>" } },
    send: post,
    description: "not a JSON object",
    more: { coze: { status: 200, log_id: expect.any(String) } },
  },
  upstream_unavailable: {
    fault: { times: 3, response: { status: 503, body: { error_code: "", error_message: "busy" } } },
    send: post,
    description: "temporarily unavailable",
    more: { coze: { status: 503, error_message: "busy", log_id: expect.any(String) } },
    headers: { "Retry-After": "5" },
  },
  upstream_timeout: {
    settings: { UPSTREAM_TIMEOUT_MS: 50 },
    fault: { times: 3, hang: true },
    send: post,
    description: "within 50 ms",
  },
};

function throwOutright(): never {
  throw new Error("a bug");
}

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

async function startIn({ settings, fault }: TestCase): Promise<{ app: TestApp; worker: TestWorker }> {
  const app = await createTestApp();
  if (fault) await app.arm(fault);
  return { app, worker: await startWorker({ ...app.settings, ...settings }) };
}

describe("every error of the table", () => {
  const codes = Object.keys(TEST_CASES) as (keyof typeof TEST_CASES)[]; // the keys of a literal

  it.each(codes)("responds to %s with the error properties, its status and its headers", async (code) => {
    const testCase = TEST_CASES[code];
    const { worker } = await startIn(testCase);
    const response = await testCase.send(worker);

    expect(response.status).toBe(ERROR_STATUS[code]);
    expect(await membersOf(response)).toEqual({
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

  it.each(codes.filter((code) => code !== "access_denied"))("lets the page read %s", async (code) => {
    const testCase = TEST_CASES[code];
    const { worker } = await startIn({
      ...testCase,
      settings: { ALLOWED_ORIGINS: "https://app.example.com", ...testCase.settings },
    });
    const withOrigin: TestWorker = {
      ...worker,
      fetch: (path, init) => worker.fetch(path, fromPage(init)),
      post: (userId, init) => worker.post(userId, fromPage(init)),
    };
    const response = await testCase.send(withOrigin);
    expect(response.status).toBe(ERROR_STATUS[code]);
    expect(response.headers.get("Access-Control-Allow-Origin")).toMatch(/^(https:\/\/app\.example\.com|\*)$/);
    expect(response.headers.get("Access-Control-Expose-Headers")).toContain("X-Request-Id");
  });
});

function fromPage(init: RequestInit = {}): RequestInit {
  return { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), Origin: "https://app.example.com" } };
}

describe("the log", () => {
  it("contains errors of Coze, with request id and log id", async () => {
    const { worker } = await startIn(TEST_CASES.upstream_rejected);
    const response = await worker.post("ada");
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

  it("contains the stack of a bug, which the response does not", async () => {
    const { worker } = await startIn(TEST_CASES.server_error);
    const response = await TEST_CASES.server_error.send(worker);
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
    const { access_token: token } = await membersOf(await worker.post("ada"));

    expect(refused).toContain("bad jwt [assertion]");
    expect(refused).toContain("log id of [assertion]");
    expect(token).toEqual(expect.any(String));
    const everything = logged.join("\n") + refused;
    for (const secret of [...seen, String(token), "PRIVATE KEY-----"]) expect(everything).not.toContain(secret);
  });
});
