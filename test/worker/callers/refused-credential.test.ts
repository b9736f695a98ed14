import { beforeAll, describe, expect, it } from "vitest";
import { API_KEY, bearer, expectRefusal, invalidClient, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

const OTHER_KEY = `${API_KEY}-other`;

let app: TestApp;
let issuer: TestIssuer;
let closed: TestWorker;
let withVisitors: TestWorker;

beforeAll(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer();
  const callers = [
    { name: "script", key_sha256: sha256(API_KEY) },
    { name: "other", key_sha256: sha256(OTHER_KEY) },
    { name: "web", issuer: issuer.issuer, audience: "api" },
  ];
  closed = await startWorker({ ...app.settings, CALLERS: callers });
  withVisitors = await startWorker({ ...app.settings, CALLERS: [...callers, { name: "visitors", anonymous: true }] });
});

const authorization = (...values: readonly string[]): RequestInit => ({
  headers: new Headers(values.map((value): [string, string] => ["Authorization", value])),
});

const unknown = "neither an API key of this service nor a JWT it trusts";

describe("a service that anonymous visitors may use", () => {
  it.each<[string, RequestInit, string]>([
    ["an empty header", authorization(""), unknown],
    ["Bearer alone", authorization("Bearer"), unknown],
    ["an unknown key", authorization("Bearer ctw_unknown"), unknown],
    ["a key without its last character", bearer(API_KEY.slice(0, -1)), unknown],
    ["a key in another case", bearer(API_KEY.toUpperCase()), unknown],
    ["the digest of a key", bearer(sha256(API_KEY)), unknown],
    ["Bearer twice", authorization(`Bearer Bearer ${API_KEY}`), unknown],
    ["Bearer run together with a key", authorization(`Bearer${API_KEY}`), unknown],
    ["the scheme Token", authorization(`Token ${API_KEY}`), unknown],
    ["Basic", authorization(`Basic ${btoa(`script:${API_KEY}`)}`), unknown],
    ["two headers", authorization(`Bearer ${API_KEY}`, `Bearer ${OTHER_KEY}`), unknown],
    ["bytes that are not ASCII", authorization("Bearer cl\u00e9"), unknown],
    ["100 KB in the form of a JWT", bearer(`${"e".repeat(50_000)}.${"x".repeat(50_000)}.s`), "too long to be one"],
    ["garbage as the assertion of Access", { headers: { "Cf-Access-Jwt-Assertion": "x" } }, unknown],
    ["an empty assertion of Access", { headers: { "Cf-Access-Jwt-Assertion": "" } }, unknown],
    [
      "a wrong credential beside a right assertion of Access",
      { headers: { Authorization: "Bearer x", "Cf-Access-Jwt-Assertion": API_KEY } },
      unknown,
    ],
  ])("refuses a wrong credential even when visitors need none: %s", async (_what, init, description) => {
    await expectRefusal(await withVisitors.post("ada", init), app, invalidClient(description));
  });

  it("refuses a JWT that has expired even when visitors need no credential", async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = await issuer.sign({ aud: "api", sub: "ada", exp: now - 60 });
    await expectRefusal(await withVisitors.post(undefined, bearer(token)), app, invalidClient("it has expired"));
  });
});

describe("a service that nobody may use without a credential", () => {
  it.each<[string, RequestInit]>([
    ["nothing at all", {}],
    ["a key in X-API-Key", { headers: { "X-API-Key": API_KEY } }],
    ["a key in a cookie", { headers: { Cookie: `CF_Authorization=${API_KEY}` } }],
  ])("refuses a request to a closed service with %s", async (_what, init) => {
    await expectRefusal(await closed.post(undefined, init), app, invalidClient("A credential is required"));
  });

  it("refuses a request with an API key in the query", async () => {
    const response = await closed.fetch(`/?access_token=${API_KEY}&key=${API_KEY}`, { method: "POST" });
    await expectRefusal(response, app, invalidClient("A credential is required"));
  });

  it("lets pages of other origins read that a credential is required", async () => {
    const response = await closed.post(undefined, { headers: { Origin: "https://app.example.com" } });
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    await expectRefusal(response, app, invalidClient("A credential is required"));
  });
});
