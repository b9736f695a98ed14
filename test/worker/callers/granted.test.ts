import { beforeAll, describe, expect, it } from "vitest";
import { API_KEY, bearer, expectGrant, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

describe("an open service", () => {
  let app: TestApp;
  let worker: TestWorker;

  beforeAll(async () => {
    app = await createTestApp();
    worker = await startWorker(app.settings);
  });

  it.each<[string, string, RequestInit]>([
    ["nothing", "a", {}],
    ["a stray key", "b", bearer(API_KEY)],
    ["a stray JWT", "c", bearer("e30.e30.x")],
    ["an empty Authorization", "d", { headers: { Authorization: "" } }],
    ["100 KB of credential", "e", bearer("x".repeat(100 * 1024))],
    ["an assertion of Access", "f", { headers: { "Cf-Access-Jwt-Assertion": "x" } }],
    ["a Turnstile response", "g", { headers: { "cf-turnstile-response": "x" } }],
    ["the Origin of any page", "h", { headers: { Origin: "https://any.example" } }],
  ])(
    "grants everyone all rights of the app in an open service, whatever else is sent: %s",
    async (_what, userId, init) => {
      expect(await expectGrant(app, worker.post(userId, init))).toEqual({
        duration_seconds: 900,
        session_name: userId,
      });
    },
  );

  it("grants a token without a session in an open service when no user is named", async () => {
    expect(await expectGrant(app, worker.post())).toEqual({ duration_seconds: 900, session_name: undefined });
  });
});

/** Keys that look like something else. */
const ANY_KEYS = ["x", "a.b", "Basic aaa", "a b c", "Bearer-like", "..", "a, b"];

describe("an API key", () => {
  let app: TestApp;
  let worker: TestWorker;

  beforeAll(async () => {
    app = await createTestApp();
    const callers = [
      { name: "other", key_sha256: "00".repeat(32) },
      { name: "script", key_sha256: sha256(API_KEY).toUpperCase(), max_duration: 300 },
      ...ANY_KEYS.map((key, index) => ({ name: `any-${index}`, key_sha256: sha256(key) })),
      { name: "visitors", anonymous: true, max_duration: 60 },
    ];
    worker = await startWorker({ ...app.settings, CALLERS: callers });
  });

  it.each<[string, string]>([
    ["Bearer", `Bearer ${API_KEY}`],
    ["bearer", `bearer ${API_KEY}`],
    ["BEARER and more blanks", `BEARER   ${API_KEY} `],
    ["Bearer and a tab", `Bearer\t${API_KEY}`],
    ["the bare key", API_KEY],
  ])("grants an API key a token for any user, sent as %s", async (form, authorization) => {
    const init = { headers: { Authorization: authorization } };
    expect(await expectGrant(app, worker.post(form, init))).toEqual({ duration_seconds: 300, session_name: form });
  });

  it("grants an API key a token without a session when it names no user", async () => {
    expect(await expectGrant(app, worker.post(undefined, bearer(API_KEY)))).toEqual({
      duration_seconds: 300,
      session_name: undefined,
    });
  });

  it.each(ANY_KEYS)("accepts as an API key any string that fits a header: %s", async (key) => {
    expect(await expectGrant(app, worker.post(key, bearer(key)))).toEqual({ duration_seconds: 900, session_name: key });
  });
});
