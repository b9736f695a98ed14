import { tracing } from "cloudflare:workers";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { createTestKey } from "../../support/keys.ts";
import { type Line, type RecordedLog, recordLog } from "../../support/log.ts";
import { json, propertiesOf, startWorker } from "../../support/worker.ts";

const script = {
  name: "script",
  key_sha256: sha256(API_KEY),
  bot_ids: ["1"],
  permissions: ["Connector.botChat"],
  max_duration: 300,
};
const scope = {
  account_permission: { permission_list: ["Connector.botChat"] },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } },
};

const GRANTED = {
  "token_request.caller": "script",
  "token_request.outcome": "granted",
  "token_request.cache": "miss",
};
const REFUSED = { "token_request.outcome": "invalid_client" };

let app: TestApp;
let issuer: TestIssuer;
let log: RecordedLog;

beforeEach(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer();
  log = recordLog();
});

afterEach(() => {
  vi.restoreAllMocks();
});

const web = () => ({ name: "web", issuer: issuer.issuer, audience: "api" });
const settings = () => ({ ...app.settings, CALLERS: [script, web()] });

/** What Cloudflare adds to a request, which the type of a request made here does not know. */
const received = (init: RequestInit): RequestInit => ({ ...init, cf: { country: "DE", colo: "FRA" } }) as RequestInit;

describe("the line about a request for a token", () => {
  it("logs all facts of a token that was exchanged", async () => {
    const worker = await startWorker(settings());
    const response = await worker.post("ada", received(bearer(API_KEY, { headers: { "X-Request-Id": "trace-42" } })));
    const { access_token: token } = await propertiesOf(response);

    const [exchange] = await app.exchanges();
    expect(exchange?.status).toBe(200);
    const [line, ...more] = log.events("token_request");
    expect(more).toEqual([]);
    expect(line).toEqual({
      level: "info",
      event: "token_request",
      outcome: "granted",
      request_id: "trace-42",
      caller: "script",
      user: expect.stringMatching(/^[0-9a-f]{16}$/),
      duration_seconds: 300,
      scope,
      cache: "miss",
      token: expect.stringMatching(/^[0-9a-f]{16}$/),
      total_ms: expect.any(Number),
      cache_ms: expect.any(Number),
      sign_ms: expect.any(Number),
      upstream_ms: expect.any(Number),
      attempts: 1,
      coze_log_id: expect.stringMatching(/^\d{14}[0-9A-F]+$/),
      country: "DE",
      colo: "FRA",
    });
    const digest = createHash("sha256").update(String(token)).digest("hex");
    expect(digest.startsWith(String(line?.["token"]))).toBe(true);
  });

  it("logs the issuer of a JWT, and the same token digest when it comes from the cache", async () => {
    const worker = await startWorker(settings());
    const token = await issuer.sign({ aud: "api", sub: "ada" });
    for (let times = 0; times < 2; times += 1) await worker.post(undefined, bearer(token));
    const [miss, hit] = log.events("token_request");
    expect(miss).toMatchObject({ caller: "web", issuer: issuer.issuer, cache: "miss", duration_seconds: 900 });
    expect(hit).toMatchObject({ caller: "web", issuer: issuer.issuer, cache: "hit", token: miss?.["token"] });
    expect(hit).not.toHaveProperty("upstream_ms");
    expect(hit).not.toHaveProperty("country");
  });

  it("logs a digest of the user that is always the same, and no other user's", async () => {
    const worker = await startWorker(settings());
    for (const userId of ["ada", "bob", "ada", "Ada"]) await worker.post(userId, bearer(API_KEY));
    await worker.post(undefined, bearer(API_KEY));
    await worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: "ada" })));

    const [ada, bob, again, capital, nobody, verified] = log.events("token_request").map(({ user }) => user);
    expect(again).toBe(ada);
    expect(verified).toBe(ada);
    expect(new Set([ada, bob, capital]).size).toBe(3);
    expect(nobody).toBeUndefined();
    for (const hash of ["md5", "sha1", "sha256", "sha512"]) {
      expect(createHash(hash).update("ada").digest("hex")).not.toContain(String(ada));
    }
  });

  it("logs another digest of a user under another private key", async () => {
    const { privatePem, publicPem } = await createTestKey();
    await app.control("POST", `/apps/${app.clientId}/keys`, { kid: "other", public_key: publicPem });
    await (await startWorker(settings())).post("ada", bearer(API_KEY));
    await (await startWorker(settings())).post("ada", bearer(API_KEY));
    const other = await startWorker({ ...settings(), KID: "other", PRIVATE_KEY: privatePem });
    await other.post("ada", bearer(API_KEY));

    const [first, second, third] = log.events("token_request").map(({ user }) => user);
    expect(second).toBe(first);
    expect(third).toMatch(/^[0-9a-f]{16}$/);
    expect(third).not.toBe(first);
  });

  it.each<[string, () => Promise<RequestInit>, Line]>([
    ["no credential", async () => ({}), { error: "invalid_client" }],
    ["a wrong key", async () => bearer("wrong"), { error: "invalid_client" }],
    [
      "a JWT that has expired",
      async () => bearer(await issuer.sign({ aud: "api", sub: "ada", exp: 1 })),
      { error: "invalid_client", kid: "RS256-key" },
    ],
    [
      "a JWT of another audience",
      async () => bearer(await issuer.sign({ aud: "other", sub: "ada" })),
      { error: "invalid_client", kid: "RS256-key" },
    ],
    [
      "a JWT of an unknown key",
      async () => bearer(await issuer.sign({ aud: "api", sub: "ada" }, { kid: "k".repeat(501) })),
      { error: "invalid_client", kid: "k".repeat(500) },
    ],
    [
      "a JWT without a user",
      async () => bearer(await issuer.sign({ aud: "api" })),
      { error: "access_denied", caller: "web", kid: "RS256-key" },
    ],
    ["a page of another origin", async () => bearer(API_KEY, from("https://evil.example")), { caller: "script" }],
    ["a page that ALLOWED_ORIGINS keeps out", async () => from("https://other.example"), { error: "access_denied" }],
    ["too long a life", async () => bearer(API_KEY, json({ duration_seconds: 301 })), { error: "invalid_scope" }],
    ["a broken body", async () => bearer(API_KEY, { ...json({}), body: "{" }), { error: "invalid_request" }],
  ])("logs why a request was refused: %s", async (_what, init, facts) => {
    const worker = await startWorker({
      ...settings(),
      CALLERS: [{ ...script, origins: ["https://a.example"] }, web()],
      ALLOWED_ORIGINS: "https://a.example, https://evil.example",
    });
    const response = await worker.post(undefined, received(await init()));
    const { error, error_description: description, request_id } = await propertiesOf(response);
    const lines = log.events("token_request");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "warn", error, description, request_id, colo: "FRA", ...facts });
    expect(lines[0]).toMatchObject({ outcome: "refused", ...("kid" in facts && { issuer: issuer.issuer }) });
    expect(lines[0]).not.toHaveProperty("token");
    expect(lines[0]).not.toHaveProperty("cache");
  });

  const from = (origin: string): RequestInit => ({ headers: { Origin: origin } });

  it("logs the Coze error of a request that Coze refused", async () => {
    const body = { error_code: "invalid_client", error_message: "no" };
    await app.arm({ times: null, response: { status: 401, body } });
    const worker = await startWorker(settings());
    await worker.post("ada", bearer(API_KEY));
    expect(log.events("token_request")).toEqual([
      expect.objectContaining({
        level: "warn",
        outcome: "refused",
        error: "upstream_rejected",
        caller: "script",
        user: expect.any(String),
        scope,
        coze: expect.objectContaining({ status: 401, ...body }),
      }),
    ]);
  });

  it("logs which JWT it was that could not be verified while its issuer is down", async () => {
    const worker = await startWorker(settings());
    await issuer.publish("keys", { status: 500 });
    await worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: "ada" })));
    expect(log.events("token_request")).toEqual([
      expect.objectContaining({ error: "issuer_unavailable", issuer: issuer.issuer }),
    ]);
  });

  it("logs how often Coze was asked for a request that was refused, and for one that was granted", async () => {
    const worker = await startWorker(settings());
    await app.arm({ times: 4, response: { status: 503 } });
    for (let times = 0; times < 2; times += 1) await worker.post("ada", bearer(API_KEY));
    const [refused, granted] = log.events("token_request");
    expect(refused).toMatchObject({ error: "upstream_unavailable", attempts: 3 });
    expect(granted).toMatchObject({ outcome: "granted", attempts: 2 });
  });

  it.each<[string, number, boolean]>([
    ["a scope of 500 characters", 453, false],
    ["the digest of a scope of 501 characters", 454, true],
  ])("logs %s", async (_what, length, isDigest) => {
    const worker = await startWorker(app.settings);
    const permission = "p".repeat(length);
    const asked = { account_permission: { permission_list: [permission] } };
    expect((await worker.post("ada", json({ scope: asked }))).status).toBe(200);

    const [line] = log.events("token_request");
    const canonical = `[["account_permission.permission_list",["${permission}"]]]`;
    const digest = createHash("sha256").update(canonical).digest("hex").slice(0, 16);
    expect(line?.["scope"]).toEqual(isDigest ? undefined : asked);
    expect(line?.["scope_digest"]).toBe(isDigest ? digest : undefined);
  });

  it("logs a request for a token when the settings are wrong", async () => {
    await (await startWorker({ ...app.settings, KID: undefined })).post("ada");
    expect(log.events("token_request")).toEqual([
      expect.objectContaining({ level: "warn", error: "server_misconfigured" }),
    ]);
  });

  it("logs no token_request for any other request", async () => {
    const worker = await startWorker(settings());
    await worker.fetch("/health");
    await worker.fetch("/nothing", { method: "POST" });
    await worker.fetch("/");
    await worker.fetch("/", { method: "PUT" });
    await worker.fetch("/", { method: "OPTIONS" });
    expect(log.events("token_request")).toEqual([]);
  });
});

describe("METRICS", () => {
  it("writes one data point to METRICS with the facts of each request for a token", async () => {
    const writeDataPoint = vi.fn();
    const worker = await startWorker({ ...settings(), METRICS: { writeDataPoint } });
    await worker.post("ada", received(bearer(API_KEY)));
    await worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: "ada" })));
    await worker.post("ada", bearer("wrong"));
    await worker.fetch("/health");

    const [granted] = log.events("token_request");
    const { user, total_ms, cache_ms, sign_ms, upstream_ms } = granted ?? {};
    expect(writeDataPoint.mock.calls.map(([point]) => point)).toEqual([
      {
        indexes: ["script"],
        blobs: ["granted", "", user, "miss", "DE", "FRA"],
        doubles: [total_ms, cache_ms, sign_ms, upstream_ms],
      },
      {
        indexes: ["web"],
        blobs: ["granted", issuer.issuer, user, "miss", "", ""],
        doubles: [expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)],
      },
      { indexes: [""], blobs: ["invalid_client", "", "", "", "", ""], doubles: [expect.any(Number), 0, 0, 0] },
    ]);
  });

  it("responds with a token when METRICS cannot be written", async () => {
    const metrics = {
      writeDataPoint() {
        throw new Error("metrics away");
      },
    };
    const worker = await startWorker({ ...app.settings, METRICS: metrics });
    expect((await worker.post("ada")).status).toBe(200);
    expect(log.events("metrics_write_failed")).toEqual([
      { level: "warn", event: "metrics_write_failed", cause: "Error: metrics away" },
    ]);
  });
});

describe("the root span of a request for a token", () => {
  it.each<[string, boolean, readonly object[]]>([
    ["has the caller, the outcome and the cache, unless the token was cached", true, [GRANTED, REFUSED]],
    ["has nothing that nobody records", false, []],
  ])("%s", async (_what, isTraced, attributes) => {
    const setAttributes = vi.fn();
    const span = { isTraced, setAttributes } as unknown as Span; // the rest is not used
    vi.spyOn(tracing, "getActiveSpan").mockReturnValue(span);
    const worker = await startWorker(settings());
    for (const key of [API_KEY, API_KEY, "wrong"]) await worker.post("ada", bearer(key));
    expect(setAttributes.mock.calls.flat()).toEqual(attributes);
  });
});
