import { describe, expect, it } from "vitest";
import { type Config, parseConfig } from "../../../src/config/config.ts";
import { ANYONE, type Caller } from "../../../src/core/auth/caller.ts";
import type { Issue } from "../../../src/core/issue.ts";
import { createTestApp } from "../../support/coze.ts";
import { parsedValue } from "../../support/parsed-value.ts";
import { propertiesOf, RELEASE, startWorker } from "../../support/worker.ts";

const required = { CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: "key" };
const DIGEST = "ab".repeat(32);

const script = { name: "nightly-report", key_sha256: DIGEST };
const web = {
  name: "web-users",
  issuer: "https://project.supabase.co/auth/v1",
  audience: "authenticated",
  claims: { role: "authenticated" },
  user_id: "sub",
  origins: ["https://app.example.com"],
  bot_ids: ["7379462189365198898"],
  permissions: ["Connector.botChat"],
  max_duration: 900,
};
const visitors = { name: "visitors", anonymous: true, turnstile: true, max_duration: 300 };

async function configOf(settings: object): Promise<Config> {
  return parsedValue(await parseConfig({ ...required, ...settings }));
}

async function callerOf(setting: object, settings: object = {}): Promise<Caller | undefined> {
  return (await configOf({ CALLERS: [setting], ...settings })).callers[0];
}

const unlimited = {
  userPrefix: "",
  origins: "*",
  scope: undefined,
  maxDurationSeconds: undefined,
  limiter: undefined,
} as const;

describe("CALLERS", () => {
  it("reads from one list of CALLERS a script, users of an issuer and visitors", async () => {
    const { callers, turnstileSecretKey } = await configOf({
      CALLERS: [script, web, visitors],
      TURNSTILE_SECRET_KEY: " secret\n",
    });
    expect(turnstileSecretKey).toBe("secret");
    expect(callers).toEqual([
      { ...unlimited, name: "nightly-report", credentialRule: { kind: "key", keySha256: DIGEST } },
      {
        name: "web-users",
        userPrefix: "",
        credentialRule: {
          kind: "jwt",
          issuer: "https://project.supabase.co/auth/v1",
          jwksUri: undefined,
          audience: "authenticated",
          claims: new Map([["role", "authenticated"]]),
          userIdClaim: "sub",
        },
        origins: [{ origin: "https://app.example.com" }],
        scope: {
          account_permission: { permission_list: ["Connector.botChat"] },
          attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["7379462189365198898"] } },
        },
        maxDurationSeconds: 900,
        limiter: undefined,
      },
      {
        ...unlimited,
        name: "visitors",
        userPrefix: "visitors",
        credentialRule: { kind: "anonymous", turnstile: { hostname: undefined, action: undefined } },
        maxDurationSeconds: 300,
      },
    ]);
  });

  it("reads the same CALLERS from tables and from a JSON string", async () => {
    const settings = { TURNSTILE_SECRET_KEY: "secret" };
    const tables = [script, web, visitors];
    expect(await configOf({ ...settings, CALLERS: ` ${JSON.stringify(tables, null, 2)}\n` })).toEqual(
      await configOf({ ...settings, CALLERS: tables }),
    );
  });

  it("makes the service open when CALLERS is not set", async () => {
    expect((await configOf({})).callers).toEqual([ANYONE]);
    expect((await configOf({ CALLERS: undefined })).callers).toEqual([ANYONE]);
  });

  const jwt = { name: "web", issuer: "https://id.example.com", audience: "api" };
  it.each<[string, object, object]>([
    ["a digest in capitals", { ...script, key_sha256: DIGEST.toUpperCase() }, { keySha256: DIGEST }],
    ["an issuer on loopback", { ...jwt, issuer: "http://127.0.0.1:8080/x" }, { issuer: "http://127.0.0.1:8080/x" }],
    ["an issuer exactly as written", { ...jwt, issuer: "https://a.example/" }, { issuer: "https://a.example/" }],
    ["a place for the keys", { ...jwt, jwks_uri: "https://b.example/k" }, { jwksUri: "https://b.example/k" }],
    ["another claim as user id", { ...jwt, user_id: "email" }, { userIdClaim: "email" }],
    [
      "no audience where azp says for whom",
      { name: "web", issuer: jwt.issuer, claims: { azp: "https://app.example.com" } },
      { audience: undefined, claims: new Map([["azp", "https://app.example.com"]]) },
    ],
    [
      "claims of every kind",
      { ...jwt, claims: { a: "x", b: 0, c: false, d: { pattern: "repo:me/.*" }, "https://a.example/d": true } },
      {
        claims: new Map<string, unknown>([
          ["a", "x"],
          ["b", 0],
          ["c", false],
          ["d", /^(?:repo:me\/.*)$/su],
          ["https://a.example/d", true],
        ]),
      },
    ],
    ["visitors without Turnstile", { name: "v", anonymous: true }, { kind: "anonymous", turnstile: undefined }],
  ])("accepts in CALLERS %s", async (_what, setting, credentialRule) => {
    expect((await callerOf(setting))?.credentialRule).toMatchObject(credentialRule);
  });

  it("reads from CALLERS the page and action that a Turnstile challenge must be of", async () => {
    const setting = { ...visitors, turnstile_hostname: "app.example.com", turnstile_action: "chat" };
    expect((await callerOf(setting, { TURNSTILE_SECRET_KEY: "secret" }))?.credentialRule).toEqual({
      kind: "anonymous",
      turnstile: { hostname: "app.example.com", action: "chat" },
    });
  });

  it.each<[string, readonly object[]]>([
    ["one issuer by audience", [jwt, { ...jwt, name: "admin", audience: "admin" }]],
    ["one issuer by a claim's value", [1, 2].map((level) => ({ ...jwt, name: `level-${level}`, claims: { level } }))],
    [
      "one issuer, the stricter caller first",
      [
        { ...jwt, claims: { a: 1 } },
        { ...jwt, name: "rest" },
      ],
    ],
    [
      "two issuers by their addresses",
      [jwt, { ...jwt, name: "other", issuer: `${jwt.issuer}/`, user_prefix: "other" }],
    ],
    ["two keys", [script, { name: "other", key_sha256: "cd".repeat(32) }]],
    ["a key and visitors", [script, { name: "visitors", anonymous: true }]],
  ])("accepts callers that differ: %s", async (_what, callers) => {
    expect((await configOf({ CALLERS: callers })).callers).toHaveLength(2);
  });

  it.each<[string, Record<string, unknown>, object | undefined]>([
    [
      "bots and permissions",
      { bot_ids: ["1"], permissions: ["a"] },
      {
        account_permission: { permission_list: ["a"] },
        attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } },
      },
    ],
    ["permissions alone", { permissions: ["a"] }, { account_permission: { permission_list: ["a"] } }],
    ["neither", {}, undefined],
  ])("reads a caller's scope from %s", async (_what, properties, scope) => {
    expect((await callerOf({ ...script, ...properties }))?.scope).toEqual(scope);
  });

  it.each<[string, readonly string[], unknown]>([
    ["all", ["*"], "*"],
    ["one", ["https://a.example"], [{ origin: "https://a.example" }]],
    ["one and all below another", ["https://a.example", "https://*.b.example"], expect.objectContaining({ length: 2 })],
  ])("limits a caller's pages to %s", async (_what, origins, expected) => {
    expect((await callerOf({ ...script, origins }))?.origins).toEqual(expected);
  });
});

async function issuesFor(settings: object): Promise<readonly Issue[]> {
  const parsed = await parseConfig({ ...required, ...settings });
  if ("value" in parsed) throw new Error("The settings were accepted.");
  return parsed.issues;
}

describe("TURNSTILE_SECRET_KEY", () => {
  const { turnstile: _turnstile, ...unchecked } = visitors;
  it.each<[string, unknown, unknown, string]>([
    ["missing", [visitors], undefined, "is required, as a caller has turnstile = true"],
    ["blank", [visitors], "  ", "is required, as a caller has turnstile = true"],
    ["set for no caller", [script, web, unchecked], "secret", "has no effect"],
    ["set for an open service", undefined, "secret", "has no effect"],
    ["not a string", [visitors], 1, "must be the secret key of a Turnstile widget"],
  ])("refuses a TURNSTILE_SECRET_KEY that is %s", async (_what, callers, secret, sentence) => {
    expect(await issuesFor({ CALLERS: callers, TURNSTILE_SECRET_KEY: secret })).toEqual([
      { path: "TURNSTILE_SECRET_KEY", message: expect.stringContaining(sentence) },
    ]);
  });
});

describe("a Worker with an issue in CALLERS", () => {
  it.each(["", " \n"])("issues no token when CALLERS is blank: %j", async (blank) => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, CALLERS: blank });
    const health = await worker.fetch("/health");
    expect(health.status).toBe(503);
    expect(await propertiesOf(health)).toEqual({
      ...RELEASE,
      status: "misconfigured",
      problems: [{ setting: "CALLERS", problem: expect.stringMatching(/^is blank: .*remove it for an open service/) }],
    });
    expect((await worker.post()).status).toBe(500);
    expect(await app.exchanges()).toEqual([]);
  });

  it("reports an issue in CALLERS by its path without its value, and issues no token", async () => {
    const app = await createTestApp();
    const worker = await startWorker({
      ...app.settings,
      CALLERS: [script, { ...web, issuer: "http://hunter2.example" }],
    });
    const health = await worker.fetch("/health");
    expect(health.status).toBe(503);
    const text = await health.text();
    expect(JSON.parse(text)).toEqual({
      ...RELEASE,
      status: "misconfigured",
      problems: [{ setting: "CALLERS[1].issuer", problem: expect.stringContaining("must begin with https://") }],
    });
    expect(text).not.toContain("hunter2");

    const refused = await worker.post();
    expect(refused.status).toBe(500);
    expect(await propertiesOf(refused)).toMatchObject({
      error: "server_misconfigured",
      error_description: "The settings of this service need fixing: CALLERS[1].issuer.",
      problems: [{ setting: "CALLERS[1].issuer" }],
    });
    expect(await app.exchanges()).toEqual([]);
  });
});

describe("a Worker with a setting whose name is mistyped", () => {
  it("reports a mistyped setting with the one that was meant, beside every other issue, without values", async () => {
    const app = await createTestApp();
    const worker = await startWorker({
      ...app.settings,
      CALLER: [script],
      TOKEN_DURATION: 0,
      ALLOWED_ORIGIN: "hunter2",
    });
    const health = await worker.fetch("/health");
    expect(health.status).toBe(503);
    expect(await propertiesOf(health)).toEqual({
      ...RELEASE,
      status: "misconfigured",
      problems: [
        { setting: "TOKEN_DURATION", problem: "must be a whole number from 1 to 86399" },
        { setting: "CALLER", problem: "is not a setting; did you mean CALLERS?" },
        { setting: "ALLOWED_ORIGIN", problem: "is not a setting; did you mean ALLOWED_ORIGINS?" },
      ],
    });
  });
});
