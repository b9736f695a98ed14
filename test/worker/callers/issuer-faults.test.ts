import { beforeEach, describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, expectRefusal, sha256, unavailable } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, documentOf, type TestIssuer } from "../../support/issuer.ts";
import type { Reply } from "../../support/stand-in-server.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

let app: TestApp;
let faulty: TestIssuer;
let sound: TestIssuer;
let worker: TestWorker;

beforeEach(async () => {
  app = await createTestApp();
  faulty = await createTestIssuer();
  sound = await createTestIssuer();
  worker = await startWorker({
    ...app.settings,
    CALLERS: [
      { name: "script", key_sha256: sha256(API_KEY) },
      { name: "users", issuer: faulty.issuer, audience: "api" },
      { name: "partners", issuer: sound.issuer, audience: "api", user_prefix: "partners" },
    ],
  });
});

const askAs = async (issuer: TestIssuer) =>
  worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: "ada" })));

/** The callers of the faulty issuer have to wait, and all others go on. */
async function expectOutage(): Promise<void> {
  await expectRefusal(
    await askAs(faulty),
    app,
    unavailable(`The keys of ${faulty.issuer} could not be fetched. Try again.`),
  );
  expect((await askAs(sound)).status).toBe(200);
  expect((await worker.post("bob", bearer(API_KEY))).status).toBe(200);
}

const wrongAnywhere: readonly [string, Reply][] = [
  ["an error", { status: 503 }],
  ["nothing there", { status: 404, body: "not found" }],
  ["a dropped connection", { drop: true }],
  ["HTML", { headers: { "Content-Type": "text/html" }, body: "<!doctype html><title>Log in</title>" }],
  ["broken JSON", { headers: { "Content-Type": "application/json" }, body: '{"keys":[' }],
  ["nothing", { body: "" }],
  ["no content", { status: 204 }],
  ["null", documentOf(null)],
  ["a list", documentOf([])],
  ["a text", documentOf("keys")],
  ["an empty object", documentOf({})],
  [
    "more than 256 KiB",
    { body: `{"keys":[],"issuer":"x","jwks_uri":"https://x.example","more":"${"x".repeat(262_144)}"}` },
  ],
];

describe("a discovery document", () => {
  it.each(wrongAnywhere)("keeps only its own callers waiting: %s", async (_what, reply) => {
    await faulty.publish("discovery", reply);
    await expectOutage();
    expect(await faulty.fetches()).toEqual({ discovery: 1, keys: 0 });
  });

  it.each<[string, (issuer: TestIssuer) => object]>([
    ["of another issuer", ({ jwksUri }) => ({ issuer: "https://evil.example", jwks_uri: jwksUri })],
    ["of the issuer with a trailing slash", ({ issuer, jwksUri }) => ({ issuer: `${issuer}/`, jwks_uri: jwksUri })],
    ["without an issuer", ({ jwksUri }) => ({ jwks_uri: jwksUri })],
    ["without the place of the keys", ({ issuer }) => ({ issuer })],
    ["with keys over http", ({ issuer }) => ({ issuer, jwks_uri: "http://keys.example/jwks" })],
    ["with keys on a host like loopback", ({ issuer }) => ({ issuer, jwks_uri: "http://127.0.0.1.evil.example/" })],
    ["with keys behind a password", ({ issuer, jwksUri }) => ({ issuer, jwks_uri: jwksUri.replace("//", "//u:p@") })],
    ["with keys in a file", ({ issuer }) => ({ issuer, jwks_uri: "file:///keys" })],
    ["with keys in the address", ({ issuer }) => ({ issuer, jwks_uri: 'data:application/json,{"keys":[]}' })],
    ["with a path for the keys", ({ issuer }) => ({ issuer, jwks_uri: "/keys" })],
    ["with keys that are no text", ({ issuer, jwksUri }) => ({ issuer, jwks_uri: [jwksUri] })],
  ])("keeps only its own callers waiting: %s", async (_what, contentOf) => {
    await faulty.publish("discovery", documentOf(contentOf(faulty)));
    await expectOutage();
    expect(await faulty.fetches()).toEqual({ discovery: 1, keys: 0 });
  });

  it("is not looked for where a redirect leads", async () => {
    const elsewhere = await createTestIssuer();
    const Location = `${elsewhere.issuer}/.well-known/openid-configuration`;
    await faulty.publish("discovery", { status: 302, headers: { Location } });
    await expectOutage();
    expect(await elsewhere.fetches()).toEqual({ discovery: 0, keys: 0 });
  });
});

describe("a key set", () => {
  it.each([
    ...wrongAnywhere,
    ["keys that are no list", documentOf({ keys: {} })],
    ["a key that is no object", documentOf({ keys: ["key"] })],
    ["a key of no kind", documentOf({ keys: [{ kid: "RS256-key" }] })],
  ] satisfies [string, Reply][])("keeps only its own callers waiting: %s", async (_what, reply) => {
    await faulty.publish("keys", reply);
    await expectOutage();
    expect(await faulty.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("is not looked for where a redirect leads", async () => {
    await faulty.publish("keys", { status: 307, headers: { Location: sound.jwksUri } });
    await expectOutage();
  });
});

describe("an issuer", () => {
  it("keeps its callers waiting where nobody listens", async () => {
    const issuer = "http://127.0.0.1:1/issuer";
    const CALLERS = [{ name: "users", issuer, audience: "api" }];
    worker = await startWorker({ ...app.settings, CALLERS });
    const response = await worker.post(undefined, bearer(await sound.sign({ iss: issuer, aud: "api", sub: "ada" })));
    await expectRefusal(response, app, unavailable(`The keys of ${issuer} could not be fetched.`));
  });

  it("is waited for where it is merely slow", async () => {
    const { issuer, jwksUri } = faulty;
    await faulty.publish("discovery", { delay_ms: 300, body: JSON.stringify({ issuer, jwks_uri: jwksUri }) });
    expect((await askAs(faulty)).status).toBe(200);
  });

  it("is given up after five seconds of silence, while the others' callers are served", async () => {
    await faulty.publish("discovery", { hang: true });
    const waiting = askAs(faulty);
    await vi.waitFor(async () => expect((await faulty.fetches()).discovery).toBe(1));
    const following = askAs(faulty);
    expect((await askAs(sound)).status).toBe(200);
    expect((await worker.post("bob", bearer(API_KEY))).status).toBe(200);

    const refused = await Promise.all([waiting, following]);
    expect(refused.map(({ status }) => status)).toEqual([503, 503]);
    expect(await faulty.fetches()).toEqual({ discovery: 1, keys: 0 });
  }, 10_000);

  it("is given up after five seconds where it never ends what it began to say", async () => {
    await faulty.publish("keys", { stall: true, body: '{"keys":[' });
    await expectOutage();
  }, 10_000);

  it("is given up after five seconds for both documents together", async () => {
    const { issuer, jwksUri } = faulty;
    await faulty.publish("discovery", { delay_ms: 3000, body: JSON.stringify({ issuer, jwks_uri: jwksUri }) });
    await faulty.publish("keys", { delay_ms: 3000, body: JSON.stringify({ keys: faulty.keys.map(({ jwk }) => jwk) }) });
    await expectOutage();
    expect(await faulty.fetches()).toEqual({ discovery: 1, keys: 1 });
  }, 10_000);
});
