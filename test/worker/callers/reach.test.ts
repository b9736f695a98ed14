import { beforeEach, describe, expect, it } from "vitest";
import { API_KEY, accessDenied, bearer, expectRefusal, invalidClient, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { fromAddress } from "../../support/rate-limiter.ts";
import { propertiesOf, startWorker } from "../../support/worker.ts";

const script = { name: "script", key_sha256: sha256(API_KEY) };
const visitors = { name: "visitors", anonymous: true };

let app: TestApp;
let issuer: TestIssuer;

beforeEach(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer();
});

const web = () => ({ name: "web", issuer: issuer.issuer, audience: "api" });
const start = (callers?: readonly object[]) => startWorker({ ...app.settings, CALLERS: callers });
const jwtOf = async (sub: string) => bearer(await issuer.sign({ aud: "api", sub }));

async function tokenOf(response: Promise<Response>): Promise<unknown> {
  return (await propertiesOf(await response))["access_token"];
}

async function sessions(): Promise<readonly unknown[]> {
  return (await app.exchanges()).map(({ assertion }) => assertion.claims["session_name"]);
}

describe("a visitor", () => {
  it.each<[string, readonly object[] | undefined, string]>([
    ["in an open service", undefined, "ada"],
    ["beside other callers", [script, visitors], "visitors:ada"],
  ])("serves any visitor the token of another whose id they send, %s", async (_what, callers, session) => {
    const worker = await start(callers);
    const hers = await tokenOf(worker.post("ada", fromAddress("203.0.113.7")));
    expect(await tokenOf(worker.post("ada", fromAddress("198.51.100.1")))).toBe(hers);
    expect(await sessions()).toEqual([session]);
  });

  it("shares one token and session among all visitors without an id", async () => {
    const worker = await start([script, visitors]);
    const shared = await tokenOf(worker.post(undefined, fromAddress("203.0.113.7")));
    expect(await tokenOf(worker.post(undefined, fromAddress("198.51.100.1")))).toBe(shared);
    expect(await sessions()).toEqual(["visitors:"]);
  });
});

describe("the holder of an API key", () => {
  it("serves a key without user_prefix the tokens of other callers' users", async () => {
    const worker = await start([script, web(), visitors]);
    const users = await tokenOf(worker.post(undefined, await jwtOf("ada")));
    const visitor = await tokenOf(worker.post("bob"));
    expect(await tokenOf(worker.post("ada", bearer(API_KEY)))).toBe(users);
    expect(await tokenOf(worker.post("visitors:bob", bearer(API_KEY)))).toBe(visitor);
  });
});

describe("an issuer", () => {
  it("serves users of an issuer the tokens of equal users of a key when neither has a user_prefix", async () => {
    const worker = await start([script, web()]);
    const keys = await tokenOf(worker.post("ada", bearer(API_KEY)));
    expect(await tokenOf(worker.post(undefined, await jwtOf("ada")))).toBe(keys);
  });

  it("never serves users of an issuer the tokens of a key that has a user_prefix", async () => {
    const worker = await start([{ ...script, user_prefix: "shop" }, web()]);
    const imitation = await worker.post(undefined, await jwtOf("shop:ada"));
    await expectRefusal(imitation, app, accessDenied("The claim sub of the credential is no usable user id."));

    const keys = await tokenOf(worker.post("ada", bearer(API_KEY)));
    expect(await tokenOf(worker.post(undefined, await jwtOf("ada")))).not.toBe(keys);
    expect(await sessions()).toEqual(["shop:ada", "ada"]);
  });
});

describe("a JWT", () => {
  it("issues for a JWT a token that outlives it", async () => {
    const worker = await start([web()]);
    const now = Math.floor(Date.now() / 1000);
    const almostOver = bearer(await issuer.sign({ aud: "api", sub: "ada", exp: now + 20 }));
    const { expires_in: end } = await propertiesOf(await worker.post(undefined, almostOver));
    expect(end).toBeGreaterThan(now + 890);
  });
});

describe("an access token", () => {
  it("refuses an access token as a credential", async () => {
    const worker = await start([script, visitors]);
    const token = String(await tokenOf(worker.post("ada")));
    const elsewhere = await createTestApp();
    const other = await startWorker({ ...elsewhere.settings, CALLERS: [script, visitors] });
    const response = await other.post("ada", bearer(token));
    await expectRefusal(response, elsewhere, invalidClient("neither an API key of this service nor a JWT it trusts"));
  });
});
