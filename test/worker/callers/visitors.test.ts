import { describe, expect, it } from "vitest";
import { API_KEY, bearer, expectGrant, sha256 } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { createTestWidget, SOLVED } from "../../support/turnstile.ts";
import { membersOf, startWorker } from "../../support/worker.ts";

const visitors = { name: "visitors", anonymous: true, max_duration: 300 };
const script = { name: "script", key_sha256: sha256(API_KEY) };
const web = ({ issuer }: TestIssuer) => ({ name: "web", issuer, audience: "api" });

async function start(callers: unknown, settings: object = {}) {
  const app = await createTestApp();
  return { app, worker: await startWorker({ ...app.settings, CALLERS: callers, ...settings }) };
}

describe("the session of a visitor", () => {
  it("is as X-User-ID says where there are only visitors", async () => {
    const { app, worker } = await start([visitors]);
    expect(await expectGrant(app, worker.post("ada"))).toEqual({ duration_seconds: 300, session_name: "ada" });
    expect(await expectGrant(app, worker.post())).toEqual({ duration_seconds: 300, session_name: undefined });
  });

  it.each<[string, (issuer: TestIssuer) => object]>([
    ["a backend with an API key", () => script],
    ["users who log in", web],
  ])("is never that of a user of %s", async (_what, other) => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start([other(issuer), { ...visitors, max_duration: 900 }]);
    const credential = other === web ? await issuer.sign({ aud: "api", sub: "ada" }) : API_KEY;
    const users = await worker.post(other === web ? undefined : "ada", bearer(credential));
    expect(users.status).toBe(200);

    expect(await expectGrant(app, worker.post("ada"))).toEqual({ duration_seconds: 900, session_name: "visitors:ada" });
    expect(await expectGrant(app, worker.post())).toEqual({ duration_seconds: 900, session_name: "visitors:" });
    const visitor = await membersOf(await worker.post("ada"));
    expect(visitor["access_token"]).not.toBe((await membersOf(users))["access_token"]);
  });

  it("has the prefix that the settings say", async () => {
    const { app, worker } = await start([script, { ...visitors, user_prefix: "guest" }]);
    expect(await expectGrant(app, worker.post("ada"))).toMatchObject({ session_name: "guest:ada" });
  });

  it("is shared with other callers where the settings say so by an empty prefix", async () => {
    const { app, worker } = await start([script, { ...visitors, user_prefix: "" }]);
    expect(await expectGrant(app, worker.post("ada"))).toMatchObject({ session_name: "ada" });
  });

  it("has a prefix behind Turnstile too", async () => {
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
  it("is within the prefix of a key caller that has one, and any other for one that has none", async () => {
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

  it("is one for equal ids of two issuers only where the settings say so by equal prefixes", async () => {
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

  it("may begin like that of visitors where there are no visitors", async () => {
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
  ])("says whether anybody may get a token where %s", async (_what, callers, settings, access) => {
    const { worker } = await start(callers, settings);
    expect(await membersOf(await worker.fetch("/health"))).toEqual({ status: "ok", access, cache: "kv" });
  });
});
