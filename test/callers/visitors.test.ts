import { describe, expect, it } from "vitest";
import { API_KEY, bearer, expectGrant, sha256 } from "../support/callers.ts";
import { createTestApp } from "../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../support/issuer.ts";
import { createTestWidget, SOLVED } from "../support/turnstile.ts";
import { membersOf, startWorker } from "../support/worker.ts";

const visitors = { name: "visitors", anonymous: true, max_duration: 300 };
const script = { name: "script", key_sha256: sha256(API_KEY) };
const web = ({ issuer }: TestIssuer) => ({ name: "web", issuer, audience: "api" });

async function start(callers: readonly object[], settings: object = {}) {
  const app = await createTestApp();
  return { app, worker: await startWorker({ ...app.settings, CALLERS: callers, ...settings }) };
}

describe("the session of a visitor", () => {
  it.each<[string, readonly object[]]>([
    ["visitors only", [visitors]],
    ["visitors and scripts", [script, visitors]],
  ])("is as X-User-ID says where there are %s", async (_what, callers) => {
    const { app, worker } = await start(callers);
    expect(await expectGrant(app, worker.post("ada"))).toEqual({ duration_seconds: 300, session_name: "ada" });
    expect(await expectGrant(app, worker.post())).toEqual({ duration_seconds: 300, session_name: undefined });
  });

  it("is kept apart from those of verified users where there are any", async () => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start([{ ...visitors, max_duration: 900 }, script, web(issuer)]);
    const verified = await worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: "ada" })));
    expect(await expectGrant(app, worker.post("ada"))).toEqual({
      duration_seconds: 900,
      session_name: "visitors:ada",
    });
    expect(await expectGrant(app, worker.post("visitors:ada"))).toMatchObject({
      session_name: "visitors:visitors:ada",
    });

    const visitor = await membersOf(await worker.post("ada"));
    expect(visitor["access_token"]).not.toBe((await membersOf(verified))["access_token"]);
  });

  it("is none where the visitor names none, also beside verified users", async () => {
    const { app, worker } = await start([visitors, web(await createTestIssuer())]);
    expect(await expectGrant(app, worker.post())).toEqual({ duration_seconds: 300, session_name: undefined });
  });

  it("may be as long as any, with what keeps it apart", async () => {
    const { app, worker } = await start([visitors, web(await createTestIssuer())]);
    const longest = "x".repeat(128 - "visitors:".length);
    expect(await expectGrant(app, worker.post(longest))).toMatchObject({ session_name: `visitors:${longest}` });
  });

  it("is that of any user for the holder of a key, who speaks for them", async () => {
    const { app, worker } = await start([visitors, script, web(await createTestIssuer())]);
    expect(await expectGrant(app, worker.post("ada", bearer(API_KEY)))).toMatchObject({ session_name: "ada" });
  });

  it("may begin like a name of visitors for a verified user where visitors are not let in", async () => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start([web(issuer)]);
    const token = await issuer.sign({ aud: "api", sub: "visitors:ada" });
    expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toMatchObject({
      session_name: "visitors:ada",
    });
  });

  it("is kept apart behind Turnstile too", async () => {
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

describe("GET /health", () => {
  const key = { name: "script", key_sha256: sha256(API_KEY) };
  const jwt = { name: "web", issuer: "https://id.example.com", audience: "api" };
  const secret = { TURNSTILE_SECRET_KEY: "secret" };
  it.each<[string, unknown, object, "open" | "closed"]>([
    ["no callers are set", undefined, {}, "open"],
    ["only keys are let in", [key], {}, "closed"],
    ["only users of an issuer are let in", [jwt], {}, "closed"],
    ["visitors are let in", [visitors], {}, "open"],
    ["visitors are let in too", [key, jwt, visitors], {}, "open"],
    ["visitors have to pass Turnstile", [{ ...visitors, turnstile: true }], secret, "closed"],
    [
      "visitors have to pass Turnstile, and others are let in",
      [key, { ...visitors, turnstile: true }],
      secret,
      "closed",
    ],
  ])("tells who may ask where %s", async (_what, callers, settings, access) => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, CALLERS: callers, ...settings });
    expect(await membersOf(await worker.fetch("/health"))).toEqual({ status: "ok", access, cache: "kv" });
  });
});
