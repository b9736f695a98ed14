import { beforeAll, describe, expect, it } from "vitest";
import { bearer, expectGrant } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { type Claims, createTestIssuer, sharedKey, type TestIssuer } from "../../support/issuer.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

describe("a JWT caller", () => {
  let app: TestApp;
  let issuer: TestIssuer;
  let worker: TestWorker;

  beforeAll(async () => {
    app = await createTestApp();
    issuer = await createTestIssuer({ keys: await Promise.all(ALGORITHMS.map((alg) => sharedKey(alg))) });
    const caller = { issuer: issuer.issuer, audience: "api" };
    worker = await startWorker({
      ...app.settings,
      CALLERS: [
        { ...caller, name: "admins", claims: { role: "admin", level: 3, active: true }, max_duration: 101 },
        { ...caller, name: "teams", claims: { team: { pattern: "red|pro-[a-z]+" } }, max_duration: 102 },
        {
          ...caller,
          name: "zero",
          claims: { level: 0, active: false },
          user_id: "email",
          user_prefix: "",
          max_duration: 103,
        },
        { ...caller, name: "machines", audience: "machines", user_id: "client_id", user_prefix: "", max_duration: 105 },
        { ...caller, name: "users", max_duration: 106 },
      ],
    });
  });

  const tokenOf = (claims: Claims = {}, header: Claims = {}) =>
    issuer.sign({ aud: "api", sub: "ada", ...claims }, header);

  it.each(ALGORITHMS)("accepts a JWT signed with %s", async (alg) => {
    const token = await issuer.sign({ aud: "api", sub: alg }, {}, await sharedKey(alg));
    expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toEqual({
      duration_seconds: 106,
      session_name: alg,
    });
  });

  it.each<[string, (token: string) => Record<string, string>]>([
    ["Bearer", (token) => ({ Authorization: `Bearer ${token}` })],
    ["bearer", (token) => ({ Authorization: `bearer ${token}` })],
    ["the bare JWT", (token) => ({ Authorization: token })],
    ["the assertion of Access", (token) => ({ "Cf-Access-Jwt-Assertion": token })],
    ["Authorization before the assertion", (token) => ({ Authorization: token, "Cf-Access-Jwt-Assertion": "x" })],
  ])("accepts a JWT sent as %s", async (form, headersOf) => {
    const headers = headersOf(await tokenOf({ sub: form }));
    expect(await expectGrant(app, worker.post(undefined, { headers }))).toMatchObject({ session_name: form });
  });

  it.each<[string, Claims, number, string?]>([
    ["all claims of the first", { role: "admin", level: 3, active: true }, 101],
    ["the first of two that match", { role: "admin", level: 3, active: true, team: "red" }, 101],
    ["not all claims of the first", { role: "admin", level: 3 }, 106],
    ["a pattern", { team: "pro-blue" }, 102],
    [
      "zero and false, and the email as user",
      { level: 0, active: false, email: "ada@example.com" },
      103,
      "ada@example.com",
    ],
    ["another audience", { aud: "machines", client_id: "backup" }, 105, "backup"],
    ["the audiences of two callers, so the first", { aud: ["machines", "api"], client_id: "x", sub: "eve" }, 105, "x"],
  ])("grants a JWT what the first caller that matches may have: %s", async (what, claims, durationSeconds, userId) => {
    expect(await expectGrant(app, worker.post(undefined, bearer(await tokenOf({ sub: what, ...claims }))))).toEqual({
      duration_seconds: durationSeconds,
      session_name: userId ?? what,
    });
  });

  it.each<[string, (now: number) => Claims]>([
    ["no iat", () => ({ iat: undefined })],
    ["an iat to come", (now) => ({ iat: now + 9999 })],
    ["nbf of the past", (now) => ({ nbf: now - 10 })],
    ["nbf a moment ahead, as clocks differ", (now) => ({ nbf: now + 4 })],
    ["exp a moment ago, as clocks differ", (now) => ({ exp: now - 1 })],
  ])("accepts a JWT with %s", async (what, claimsAt) => {
    const token = await tokenOf({ sub: what, ...claimsAt(Math.floor(Date.now() / 1000)) });
    expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toMatchObject({ session_name: what });
  });

  it("accepts a JWT without a typ, or with that of an access token", async () => {
    for (const typ of [undefined, "at+jwt"]) {
      const token = await tokenOf({ sub: String(typ) }, { typ });
      expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toMatchObject({
        session_name: String(typ),
      });
    }
  });

  it("accepts a JWT without a kid where the issuer has one key", async () => {
    const single = await createTestIssuer();
    const itsApp = await createTestApp();
    const CALLERS = [{ name: "web", issuer: single.issuer, audience: "api" }];
    const itsWorker = await startWorker({ ...itsApp.settings, CALLERS });
    const token = await single.sign({ aud: "api", sub: "ada" }, { kid: undefined });
    expect(await expectGrant(itsApp, itsWorker.post(undefined, bearer(token)))).toMatchObject({ session_name: "ada" });
  });

  it("accepts an X-User-ID that equals the user of the JWT", async () => {
    const token = await tokenOf({ sub: "same" });
    expect(await expectGrant(app, worker.post("same", bearer(token)))).toMatchObject({ session_name: "same" });
  });

  it("serves a cached token only to the same user of an equal grant", async () => {
    const outcome = async (claims: Claims) =>
      (await worker.post(undefined, bearer(await tokenOf(claims)))).headers.get("Cache-Status");
    expect(await outcome({ sub: "eva" })).toContain("miss");
    expect(await outcome({ sub: "eva", jti: "another" })).toContain("hit");
    expect(await outcome({ sub: "eva", team: "red" })).toContain("miss");
    expect(await outcome({ sub: "eve" })).toContain("miss");
  });
});
