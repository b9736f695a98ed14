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
const swapped = API_KEY.replace(/[a-z]/, (letter) => letter.toUpperCase());

const wrongCredentials: readonly [string, RequestInit, string][] = [
  ["an empty header", authorization(""), unknown],
  ["Bearer alone", authorization("Bearer"), unknown],
  ["Bearer and blanks", authorization("Bearer   "), unknown],
  ["an unknown key", authorization("Bearer ctw_unknown"), unknown],
  ["a key without its last character", bearer(API_KEY.slice(0, -1)), unknown],
  ["a key without its first character", bearer(API_KEY.slice(1)), unknown],
  ["a key with one character more", bearer(`${API_KEY}x`), unknown],
  ["a key in another case", bearer(API_KEY.toUpperCase()), unknown],
  ["a key with one letter in another case", bearer(swapped), unknown],
  ["a key in quotes", bearer(`"${API_KEY}"`), unknown],
  ["a key percent-encoded", bearer(API_KEY.replace("_", "%5F")), unknown],
  ["the digest of a key", bearer(sha256(API_KEY)), unknown],
  ["Bearer twice", authorization(`Bearer Bearer ${API_KEY}`), unknown],
  ["Bearer and a colon", authorization(`Bearer: ${API_KEY}`), unknown],
  ["Bearer run together with a key", authorization(`Bearer${API_KEY}`), unknown],
  ["the scheme Token", authorization(`Token ${API_KEY}`), unknown],
  ["Basic", authorization(`Basic ${btoa(`script:${API_KEY}`)}`), unknown],
  ["Digest", authorization('Digest username="script"'), unknown],
  ["two headers", authorization(`Bearer ${API_KEY}`, `Bearer ${OTHER_KEY}`), unknown],
  ["one header twice", authorization(`Bearer ${API_KEY}`, `Bearer ${API_KEY}`), unknown],
  ["a wrong header before a right one", authorization("Bearer x", `Bearer ${API_KEY}`), unknown],
  ["bytes that are not ASCII", authorization("Bearer cl\u00e9"), unknown],
  ["JSON", authorization('{"key":"value"}'), unknown],
  ["points only", authorization("Bearer .."), unknown],
  ["100 KB", bearer("x".repeat(100 * 1024)), "too long to be one"],
  ["one character too many", bearer("x".repeat(16 * 1024 + 1)), "too long to be one"],
  ["as long as may be", bearer("x".repeat(16 * 1024)), unknown],
  ["100 KB in the form of a JWT", bearer(`${"e".repeat(50_000)}.${"x".repeat(50_000)}.s`), "too long to be one"],
  ["garbage as the assertion of Access", { headers: { "Cf-Access-Jwt-Assertion": "x" } }, unknown],
  ["an empty assertion of Access", { headers: { "Cf-Access-Jwt-Assertion": "" } }, unknown],
  [
    "a wrong credential beside a right assertion of Access",
    { headers: { Authorization: "Bearer x", "Cf-Access-Jwt-Assertion": API_KEY } },
    unknown,
  ],
];

describe("a wrong credential", () => {
  it.each(wrongCredentials)("is refused: %s", async (_what, init, description) => {
    await expectRefusal(await closed.post("ada", init), app, invalidClient(description));
  });

  it.each(wrongCredentials)("does not make an anonymous visitor: %s", async (_what, init, description) => {
    await expectRefusal(await withVisitors.post("ada", init), app, invalidClient(description));
  });

  it("does not make an anonymous visitor of somebody whose JWT has expired", async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = await issuer.sign({ aud: "api", sub: "ada", exp: now - 60 });
    await expectRefusal(await withVisitors.post(undefined, bearer(token)), app, invalidClient("it has expired"));
  });
});

describe("no credential", () => {
  it.each<[string, RequestInit]>([
    ["nothing at all", {}],
    ["a key in X-API-Key", { headers: { "X-API-Key": API_KEY } }],
    ["a key in Proxy-Authorization", { headers: { "Proxy-Authorization": `Bearer ${API_KEY}` } }],
    ["a key in a cookie", { headers: { Cookie: `CF_Authorization=${API_KEY}` } }],
    ["a key as the user id", { headers: { "X-User-ID": API_KEY } }],
  ])("is refused where all have to bring one: %s", async (_what, init) => {
    await expectRefusal(await closed.post(undefined, init), app, invalidClient("A credential is required"));
  });

  it("is refused where the key stands in the query", async () => {
    const response = await closed.fetch(`/?access_token=${API_KEY}&key=${API_KEY}`, { method: "POST" });
    await expectRefusal(response, app, invalidClient("A credential is required"));
  });

  it("is said so to pages of other origins too", async () => {
    const response = await closed.post(undefined, { headers: { Origin: "https://app.example.com" } });
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    await expectRefusal(response, app, invalidClient("A credential is required"));
  });
});
