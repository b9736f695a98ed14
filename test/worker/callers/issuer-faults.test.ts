import { describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, expectRefusal, sha256, unavailable } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, documentOf, type TestIssuer } from "../../support/issuer.ts";
import type { Reply } from "../../support/stand-in-server.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

type Case = {
  readonly app: TestApp;
  readonly faulty: TestIssuer;
  readonly sound: TestIssuer;
  readonly worker: TestWorker;
};

/** Starts a Worker with callers of two issuers, the first of which is about to fail. */
async function start(): Promise<Case> {
  const app = await createTestApp();
  const faulty = await createTestIssuer();
  const sound = await createTestIssuer();
  const worker = await startWorker({
    ...app.settings,
    CALLERS: [
      { name: "script", key_sha256: sha256(API_KEY) },
      { name: "users", issuer: faulty.issuer, audience: "api" },
      { name: "partners", issuer: sound.issuer, audience: "api", user_prefix: "partners" },
    ],
  });
  return { app, faulty, sound, worker };
}

const postAs = async ({ worker }: Case, issuer: TestIssuer) =>
  worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: "ada" })));

/** The callers of the faulty issuer get a 503, and all others a token. */
async function expectOutage(current: Case): Promise<void> {
  const { app, faulty, sound, worker } = current;
  const refusal = unavailable(`The keys of ${faulty.issuer} could not be fetched. Try again.`);
  await expectRefusal(await postAs(current, faulty), app, refusal);
  expect((await postAs(current, sound)).status).toBe(200);
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
  ["a string", documentOf("keys")],
  ["an empty object", documentOf({})],
  [
    "more than 256 KiB",
    { body: `{"keys":[],"issuer":"x","jwks_uri":"https://x.example","more":"${"x".repeat(262_144)}"}` },
  ],
];

describe.concurrent("a discovery document", () => {
  it.each(wrongAnywhere)(
    "responds with 503 only to an issuer's own callers when its discovery document is %s",
    async (_what, reply) => {
      const current = await start();
      await current.faulty.publish("discovery", reply);
      await expectOutage(current);
      expect(await current.faulty.fetches()).toEqual({ discovery: 1, keys: 0 });
    },
  );

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
    ["with a jwks_uri that is not a string", ({ issuer, jwksUri }) => ({ issuer, jwks_uri: [jwksUri] })],
  ])(
    "responds with 503 only to an issuer's own callers when its discovery document is one %s",
    async (_what, contentOf) => {
      const current = await start();
      await current.faulty.publish("discovery", documentOf(contentOf(current.faulty)));
      await expectOutage(current);
      expect(await current.faulty.fetches()).toEqual({ discovery: 1, keys: 0 });
    },
  );

  it("does not follow a redirect to an issuer's discovery document", async () => {
    const elsewhere = await createTestIssuer();
    const Location = `${elsewhere.issuer}/.well-known/openid-configuration`;
    const current = await start();
    await current.faulty.publish("discovery", { status: 302, headers: { Location } });
    await expectOutage(current);
    expect(await elsewhere.fetches()).toEqual({ discovery: 0, keys: 0 });
  });
});

describe.concurrent("a key set", () => {
  it.each([
    ...wrongAnywhere,
    ["keys that are no list", documentOf({ keys: {} })],
    ["a key that is no object", documentOf({ keys: ["key"] })],
    ["a key of no kind", documentOf({ keys: [{ kid: "RS256-key" }] })],
  ] satisfies [string, Reply][])(
    "responds with 503 only to an issuer's own callers when its key set is %s",
    async (_what, reply) => {
      const current = await start();
      await current.faulty.publish("keys", reply);
      await expectOutage(current);
      expect(await current.faulty.fetches()).toEqual({ discovery: 1, keys: 1 });
    },
  );

  it("does not follow a redirect to an issuer's key set", async () => {
    const current = await start();
    await current.faulty.publish("keys", { status: 307, headers: { Location: current.sound.jwksUri } });
    await expectOutage(current);
  });
});

describe.concurrent("an issuer", () => {
  it("responds with 503 to the callers of an issuer when nothing listens there", async () => {
    const app = await createTestApp();
    const sound = await createTestIssuer();
    const issuer = "http://127.0.0.1:1/issuer";
    const worker = await startWorker({ ...app.settings, CALLERS: [{ name: "users", issuer, audience: "api" }] });
    const response = await worker.post(undefined, bearer(await sound.sign({ iss: issuer, aud: "api", sub: "ada" })));
    await expectRefusal(response, app, unavailable(`The keys of ${issuer} could not be fetched.`));
  });

  it("waits for an issuer that is merely slow", async () => {
    const current = await start();
    const { issuer, jwksUri } = current.faulty;
    await current.faulty.publish("discovery", {
      delay_ms: 300,
      body: JSON.stringify({ issuer, jwks_uri: jwksUri }),
    });
    expect((await postAs(current, current.faulty)).status).toBe(200);
  });

  it("gives up on an issuer after five seconds of silence, and serves other callers meanwhile", async () => {
    const current = await start();
    const { faulty, sound, worker } = current;
    await faulty.publish("discovery", { hang: true });
    const waiting = postAs(current, faulty);
    await vi.waitFor(async () => expect((await faulty.fetches()).discovery).toBe(1), { timeout: 10_000 });
    const following = postAs(current, faulty);
    expect((await postAs(current, sound)).status).toBe(200);
    expect((await worker.post("bob", bearer(API_KEY))).status).toBe(200);

    const refused = await Promise.all([waiting, following]);
    expect(refused.map(({ status }) => status)).toEqual([503, 503]);
    expect(await faulty.fetches()).toEqual({ discovery: 1, keys: 0 });
  }, 10_000);

  it("gives up on an issuer after five seconds when its response never ends", async () => {
    const current = await start();
    await current.faulty.publish("keys", { stall: true, body: '{"keys":[' });
    await expectOutage(current);
  }, 10_000);

  it("gives up on an issuer after five seconds for both documents together", async () => {
    const current = await start();
    const { issuer, jwksUri, keys } = current.faulty;
    await current.faulty.publish("discovery", {
      delay_ms: 3000,
      body: JSON.stringify({ issuer, jwks_uri: jwksUri }),
    });
    await current.faulty.publish("keys", {
      delay_ms: 3000,
      body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }),
    });
    await expectOutage(current);
    expect(await current.faulty.fetches()).toEqual({ discovery: 1, keys: 1 });
  }, 10_000);
});
