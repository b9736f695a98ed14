import { describe, expect, it, vi } from "vitest";
import { createTestApp } from "../support/coze.ts";
import { createTestKey } from "../support/keys.ts";
import { kvThatThrowsOn } from "../support/kv.ts";
import { json, propertiesOf, startWorker } from "../support/worker.ts";

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe("POST /", () => {
  it("responds with exactly the three properties of Coze, with expires_in as a Unix time", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const response = await worker.post();

    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    const body = await propertiesOf(response);
    expect(Object.keys(body)).toEqual(["access_token", "expires_in", "token_type"]);
    expect(body).toMatchObject({ access_token: expect.stringMatching(/^czs_/), token_type: "Bearer" });
    expect(body["expires_in"]).toBeGreaterThan(nowSeconds() + 890);
    expect(body["expires_in"]).toBeLessThanOrEqual(nowSeconds() + 900);
  });

  it("serves one user from the cache, and gives another user a separate token and session", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const first = await worker.post("ada");
    const second = await worker.post("ada");
    const other = await worker.post("bob");

    expect(first.headers.get("Cache-Status")).toMatch(/^coze-token-worker; fwd=miss; stored; ttl=\d+$/);
    expect(second.headers.get("Cache-Status")).toMatch(/^coze-token-worker; hit; ttl=(900|89\d)$/);
    expect(other.headers.get("Cache-Status")).toMatch(/^coze-token-worker; fwd=miss; stored; ttl=\d+$/);
    const token = await propertiesOf(first);
    expect(await propertiesOf(second)).toEqual(token);
    expect((await propertiesOf(other))["access_token"]).not.toBe(token["access_token"]);
    expect((await app.exchanges()).map(({ assertion }) => assertion.claims["session_name"])).toEqual(["ada", "bob"]);
  });

  it("renews a token with less life left than the client wants, up to half of the granted life", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, TOKEN_DURATION: 180 });
    const earlier = Date.now() - 100_000;
    vi.spyOn(Date, "now").mockImplementation(() => earlier);
    const first = await propertiesOf(await worker.post("ada"));
    vi.restoreAllMocks();
    expect(await propertiesOf(await worker.post("ada", json({ minimum_seconds: 70 })))).toEqual(first);
    const renewed = await worker.post("ada", json({ minimum_seconds: 3600 }));
    expect(renewed.headers.get("Cache-Status")).toMatch(/fwd=miss; stored; ttl=1(80|79)$/);
    expect((await propertiesOf(renewed))["access_token"]).not.toBe(first["access_token"]);
  });

  it("finds the token that another isolate has cached", async () => {
    const app = await createTestApp();
    const first = await (await startWorker(app.settings)).post("ada");
    const second = await (await startWorker(app.settings)).post("ada");
    expect(second.headers.get("Cache-Status")).toContain("hit");
    expect(await propertiesOf(second)).toEqual(await propertiesOf(first));
  });

  it("separates the token without X-User-ID and session_name from those of all users", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const shared = await propertiesOf(await worker.post());
    expect((await app.exchanges())[0]?.assertion.claims).not.toHaveProperty("session_name");

    for (const imitation of ["default-session", "null", "undefined", "anyone", "*"]) {
      const response = await worker.post(imitation);
      expect(response.headers.get("Cache-Status")).toContain("fwd=miss");
      expect((await propertiesOf(response))["access_token"]).not.toBe(shared["access_token"]);
    }
    expect(await propertiesOf(await worker.post())).toEqual(shared);
  });

  it("makes one exchange for all concurrent requests of one user", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const responses = await Promise.all(Array.from({ length: 50 }, () => worker.post("ada")));
    expect(await app.exchanges()).toHaveLength(1);
    const statuses = responses.map(({ headers }) => headers.get("Cache-Status"));
    expect(statuses.filter((status) => status?.includes("fwd=miss; stored; ttl="))).toHaveLength(1);
    expect(statuses.filter((status) => status?.includes("fwd=miss; collapsed; ttl="))).toHaveLength(49);
    const tokens = await Promise.all(responses.map(propertiesOf));
    expect(new Set(tokens.map(({ access_token: token }) => token)).size).toBe(1);
  });

  it("requests the duration and scope of the settings and the body from Coze", async () => {
    const app = await createTestApp();
    const scope = {
      account_permission: { permission_list: ["Connector.botChat"] },
      attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1", "2"] } },
    };
    const worker = await startWorker({ ...app.settings, TOKEN_DURATION: 600, TOKEN_SCOPE: JSON.stringify(scope) });
    await worker.post("ada");
    const oneBot = { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["2"] } } };
    await worker.post("ada", json({ duration_seconds: 120, scope: oneBot }));

    const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    expect((await app.exchanges()).map(({ body }) => body)).toEqual([
      { grant_type, duration_seconds: 600, scope },
      { grant_type, duration_seconds: 120, scope: { ...scope, ...oneBot } },
    ]);
  });

  it("serves cached tokens from memory when no KV is bound", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, TOKEN_CACHE: undefined });
    expect((await worker.post("ada")).headers.get("Cache-Status")).toMatch(
      /^coze-token-worker; fwd=miss; stored; ttl=\d+$/,
    );
    expect((await worker.post("ada")).headers.get("Cache-Status")).toContain("hit");
    expect(await app.exchanges()).toHaveLength(1);
  });

  it.each(["get", "put"] as const)("responds with a token while KV throws on %s", async (method) => {
    const app = await createTestApp();
    const settings = { ...app.settings, TOKEN_CACHE: kvThatThrowsOn(method) };
    for (const isolate of [await startWorker(settings), await startWorker(settings)]) {
      const response = await isolate.post("ada");
      expect(response.status).toBe(200);
      expect(response.headers.get("Cache-Status")).toMatch(/^coze-token-worker; fwd=miss; stored; ttl=\d+$/);
    }
    expect(await app.exchanges()).toHaveLength(2);
  });

  it("replaces a token that Coze rejected, and only once it is ten seconds old", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const { access_token: token } = await propertiesOf(await worker.post("ada"));
    // The token is too new to be replaced.
    expect(await propertiesOf(await worker.post("ada", json({ rejected_token: token })))).toMatchObject({
      access_token: token,
    });

    const elevenSecondsLater = Date.now() + 11_000;
    vi.spyOn(Date, "now").mockImplementation(() => elevenSecondsLater);
    const replaced = await worker.post("ada", json({ rejected_token: token }));
    vi.restoreAllMocks();
    expect(replaced.headers.get("Cache-Status")).toMatch(/^coze-token-worker; fwd=miss; stored; ttl=\d+$/);
    const { access_token: successor } = await propertiesOf(replaced);
    expect(successor).not.toBe(token);
    expect(await propertiesOf(await worker.post("ada", json({ rejected_token: token })))).toMatchObject({
      access_token: successor,
    });
  });

  it("sends Server-Timing when SERVER_TIMING is true", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, SERVER_TIMING: "true" });
    const timing = (await worker.post("ada")).headers.get("Server-Timing");
    expect(timing).toMatch(/^cache;dur=\d+, sign;dur=\d+, upstream;dur=\d+$/);
    expect((await worker.post("ada")).headers.get("Server-Timing")).toBeNull();

    const silent = await startWorker(app.settings);
    expect((await silent.post("bob")).headers.get("Server-Timing")).toBeNull();
  });

  it("serves a token whose renewal fails with detail=stale-on-error", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, TOKEN_DURATION: 60 });
    const { access_token: token } = await propertiesOf(await worker.post("ada"));
    await app.arm({ times: null, response: { status: 503 } });
    const fortySecondsLater = Date.now() + 40_000;
    vi.spyOn(Date, "now").mockImplementation(() => fortySecondsLater);
    const response = await worker.post("ada");
    vi.restoreAllMocks();
    expect(await propertiesOf(response)).toMatchObject({ access_token: token });
    expect(response.headers.get("Cache-Status")).toMatch(
      /^coze-token-worker; hit; ttl=(19|20); detail=stale-on-error$/,
    );
  });

  it("reads the private key from a Secrets Store binding", async () => {
    const app = await createTestApp();
    const secret = { get: async () => app.settings["PRIVATE_KEY"] };
    const worker = await startWorker({ ...app.settings, PRIVATE_KEY: secret });
    expect((await worker.post()).status).toBe(200);
  });

  it("recovers by itself once the Secrets Store responds", async () => {
    const app = await createTestApp();
    let reads = 0;
    const secret = {
      get: async () => {
        reads += 1;
        if (reads === 1) throw new Error("secret not found");
        return app.settings["PRIVATE_KEY"];
      },
    };
    const worker = await startWorker({ ...app.settings, PRIVATE_KEY: secret });
    const refused = await worker.post();
    expect(refused.status).toBe(500);
    expect(await propertiesOf(refused)).toMatchObject({
      problems: [{ setting: "PRIVATE_KEY", problem: expect.stringContaining("Secrets Store") }],
    });
    expect((await worker.post()).status).toBe(200);
  });
});

describe("key rotation", () => {
  it("uses the previous key until Coze knows the new one", async () => {
    const app = await createTestApp();
    const { KID: previousKid, PRIVATE_KEY: previousKey } = app.settings;
    const { privatePem, publicPem } = await createTestKey();
    const worker = await startWorker({
      ...app.settings,
      KID: "new",
      PRIVATE_KEY: privatePem,
      PREVIOUS_KID: previousKid,
      PREVIOUS_PRIVATE_KEY: previousKey,
    });
    expect((await worker.post("ada")).status).toBe(200);
    const kidsSeen = async () => (await app.exchanges()).map(({ assertion }) => assertion.header["kid"]);
    expect(await kidsSeen()).toEqual(["new", previousKid]);

    await app.control("POST", `/apps/${app.clientId}/keys`, { kid: "new", public_key: publicPem });
    await app.control("DELETE", `/apps/${app.clientId}/keys/${previousKid}`);
    expect((await worker.post("bob")).status).toBe(200);
    expect(await kidsSeen()).toEqual(["new", previousKid, "new"]);
  });

  it("reports an invalid previous private key", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, PREVIOUS_KID: "old", PREVIOUS_PRIVATE_KEY: "none!" });
    expect(await propertiesOf(await worker.fetch("/health"))).toMatchObject({
      problems: [{ setting: "PREVIOUS_PRIVATE_KEY", problem: expect.stringContaining("is not a PEM private key") }],
    });
  });
});
