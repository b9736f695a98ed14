import { describe, expect, it } from "vitest";
import { API_KEY, bearer, expectGrant, sha256 } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { createTestWidget, SOLVED } from "../../support/turnstile.ts";
import { propertiesOf, startWorker } from "../../support/worker.ts";

const visitors = { name: "visitors", anonymous: true, max_duration: 300 };
const script = { name: "script", key_sha256: sha256(API_KEY) };
const web = ({ issuer }: TestIssuer) => ({ name: "web", issuer, audience: "api" });

async function start(callers: unknown, settings: object = {}) {
  const app = await createTestApp();
  return { app, worker: await startWorker({ ...app.settings, CALLERS: callers, ...settings }) };
}

describe("the session of a visitor", () => {
  it("opens for a visitor the session of X-User-ID when all callers are visitors", async () => {
    const { app, worker } = await start([visitors]);
    expect(await expectGrant(app, worker.post("ada"))).toEqual({ duration_seconds: 300, session_name: "ada" });
    expect(await expectGrant(app, worker.post())).toEqual({ duration_seconds: 300, session_name: undefined });
  });

  it.each<[string, (issuer: TestIssuer) => object]>([
    ["a backend with an API key", () => script],
    ["users who log in", web],
  ])("never opens for a visitor the session of a user of %s", async (_what, other) => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start([other(issuer), { ...visitors, max_duration: 900 }]);
    const credential = other === web ? await issuer.sign({ aud: "api", sub: "ada" }) : API_KEY;
    const users = await worker.post(other === web ? undefined : "ada", bearer(credential));
    expect(users.status).toBe(200);

    expect(await expectGrant(app, worker.post("ada"))).toEqual({ duration_seconds: 900, session_name: "visitors:ada" });
    expect(await expectGrant(app, worker.post())).toEqual({ duration_seconds: 900, session_name: "visitors:" });
    const visitor = await propertiesOf(await worker.post("ada"));
    expect(visitor["access_token"]).not.toBe((await propertiesOf(users))["access_token"]);
  });

  it("puts the user_prefix of the settings before a visitor's session", async () => {
    const { app, worker } = await start([script, { ...visitors, user_prefix: "guest" }]);
    expect(await expectGrant(app, worker.post("ada"))).toMatchObject({ session_name: "guest:ada" });
  });

  it("shares a visitor's session with other callers when user_prefix is empty", async () => {
    const { app, worker } = await start([script, { ...visitors, user_prefix: "" }]);
    expect(await expectGrant(app, worker.post("ada"))).toMatchObject({ session_name: "ada" });
  });

  it("puts a prefix before the session of a visitor who passed Turnstile", async () => {
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const callers = [web(await createTestIssuer()), { ...visitors, turnstile: true }];
    const { app, worker } = await start(callers, widget.settings);
    const init = { headers: { "cf-turnstile-response": "0.solved" } };
    expect(await expectGrant(app, worker.post("ada", init))).toEqual({
      duration_seconds: 300,
      session_name: "visitors:ada",
    });
  });
});

describe("the session of a named caller's user", () => {
  it("confines a key with a user_prefix to that prefix, and lets one without it open any session", async () => {
    const { app, worker } = await start([{ ...script, user_prefix: "shop" }, visitors]);
    expect(await expectGrant(app, worker.post("visitors:ada", bearer(API_KEY)))).toMatchObject({
      session_name: "shop:visitors:ada",
    });
    expect(await expectGrant(app, worker.post(undefined, bearer(API_KEY)))).toMatchObject({ session_name: "shop:" });

    const free = await start([script, visitors]);
    expect(await expectGrant(free.app, free.worker.post("visitors:ada", bearer(API_KEY)))).toMatchObject({
      session_name: "visitors:ada",
    });
  });

  it("opens one session for equal ids of two issuers only when their user_prefix is equal", async () => {
    const [one, other] = [await createTestIssuer(), await createTestIssuer()];
    const partners = { name: "partners", issuer: other.issuer, audience: "api" };
    const sessionsFor = async (prefixes: readonly (string | undefined)[]) => {
      const [first, second] = prefixes.map((user_prefix) => (user_prefix === undefined ? {} : { user_prefix }));
      const { app, worker } = await start([
        { ...web(one), ...first },
        { ...partners, ...second },
      ]);
      await worker.post(undefined, bearer(await one.sign({ aud: "api", sub: "ada" })));
      await worker.post(undefined, bearer(await other.sign({ aud: "api", sub: "ada" })));
      return (await app.exchanges()).map(({ assertion }) => assertion.claims["session_name"]);
    };
    expect(await sessionsFor([undefined, "partners"])).toEqual(["ada", "partners:ada"]);
    expect(await sessionsFor(["team", "team"])).toEqual(["team:ada"]);
    expect(await sessionsFor(["", ""])).toEqual(["ada"]);
    expect(await sessionsFor([undefined, undefined])).toEqual([]);
  });

  it("accepts a user id that begins like a visitor's session when there are no visitors", async () => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start([web(issuer)]);
    const token = await issuer.sign({ aud: "api", sub: "visitors:ada" });
    expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toMatchObject({
      session_name: "visitors:ada",
    });
  });
});

describe("GET /health", () => {
  const secret = { TURNSTILE_SECRET_KEY: "secret" };
  it.each<[string, unknown, object, "open" | "closed"]>([
    ["no callers are set", undefined, {}, "open"],
    ["visitors need no credential", [script, visitors], {}, "open"],
    ["visitors have to pass Turnstile", [script, { ...visitors, turnstile: true }], secret, "closed"],
  ])("reports at GET /health whether anybody may get a token when %s", async (_what, callers, settings, access) => {
    const { worker } = await start(callers, settings);
    expect(await propertiesOf(await worker.fetch("/health"))).toMatchObject({ status: "ok", access });
  });
});
