import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createTestApp } from "./support/coze.ts";
import { kvThatThrowsOn } from "./support/kv.ts";
import { json, membersOf, startWorker } from "./support/worker.ts";

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe("POST /", () => {
  it("answers with exactly the three members of Coze, expires_in being a moment", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const response = await worker.post();

    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    const members = await membersOf(response);
    expect(Object.keys(members)).toEqual(["access_token", "expires_in", "token_type"]);
    expect(members).toMatchObject({ access_token: expect.stringMatching(/^czs_/), token_type: "Bearer" });
    expect(members["expires_in"]).toBeGreaterThan(nowSeconds() + 890);
    expect(members["expires_in"]).toBeLessThanOrEqual(nowSeconds() + 900);
  });

  it("answers one user from the cache, and another with a token and session of his own", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const first = await worker.post("ada");
    const second = await worker.post("ada");
    const other = await worker.post("bob");

    expect(first.headers.get("Cache-Status")).toBe("coze-token-worker; fwd=miss; stored");
    expect(second.headers.get("Cache-Status")).toMatch(/^coze-token-worker; hit; ttl=(900|89\d)$/);
    expect(other.headers.get("Cache-Status")).toBe("coze-token-worker; fwd=miss; stored");
    const token = await membersOf(first);
    expect(await membersOf(second)).toEqual(token);
    expect((await membersOf(other))["access_token"]).not.toBe(token["access_token"]);
    expect((await app.exchanges()).map(({ assertion }) => assertion.claims["session_name"])).toEqual(["ada", "bob"]);
  });

  it("finds the token that another isolate has cached", async () => {
    const app = await createTestApp();
    const first = await (await startWorker(app.settings)).post("ada");
    const second = await (await startWorker(app.settings)).post("ada");
    expect(second.headers.get("Cache-Status")).toContain("hit");
    expect(await membersOf(second)).toEqual(await membersOf(first));
  });

  it("keeps nobody's token apart from everybody's: no X-User-ID, no session_name", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const shared = await membersOf(await worker.post());
    expect((await app.exchanges())[0]?.assertion.claims).not.toHaveProperty("session_name");

    for (const imitation of ["default-session", "null", "undefined", "anyone", "*"]) {
      const response = await worker.post(imitation);
      expect(response.headers.get("Cache-Status")).toContain("fwd=miss");
      expect((await membersOf(response))["access_token"]).not.toBe(shared["access_token"]);
    }
    expect(await membersOf(await worker.post())).toEqual(shared);
  });

  it("gives two users who race a token each, and each the right one", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const users = ["ada", "bob"];
    const answers = await Promise.all(users.map((user) => worker.post(user).then(membersOf)));
    const again = await Promise.all(users.map((user) => worker.post(user).then(membersOf)));
    expect(again).toEqual(answers);
    expect(answers[0]?.["access_token"]).not.toBe(answers[1]?.["access_token"]);
  });

  it("asks Coze for what the settings and the body say", async () => {
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

  it("caches each duration and scope by itself", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const scope = { account_permission: { permission_list: ["Connector.botChat"] } };
    for (const init of [{}, json({ duration_seconds: 300 }), json({ scope })]) {
      expect((await worker.post("ada", init)).headers.get("Cache-Status")).toContain("fwd=miss");
      expect((await worker.post("ada", init)).headers.get("Cache-Status")).toContain("hit");
    }
  });

  it("does not put a token into KV that KV would refuse", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, TOKEN_DURATION: "30" });
    expect((await worker.post()).headers.get("Cache-Status")).toBe("coze-token-worker; fwd=miss");
  });

  it("works without KV", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, TOKEN_CACHE: undefined });
    const response = await worker.post("ada");
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Status")).toBe("coze-token-worker; fwd=miss");
  });

  it.each([
    ["get", "fwd=miss; stored"],
    ["put", "fwd=miss; stored"],
  ] as const)("answers with a token while KV throws on %s", async (method, cacheStatus) => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, TOKEN_CACHE: kvThatThrowsOn(method) });
    for (const _ of [1, 2]) {
      const response = await worker.post("ada");
      expect(response.status).toBe(200);
      expect(response.headers.get("Cache-Status")).toBe(`coze-token-worker; ${cacheStatus}`);
    }
  });

  it("does not serve an expired or damaged cache entry", async () => {
    const app = await createTestApp();
    const worker = await startWorker(app.settings);
    const before = new Set((await env.TOKEN_CACHE.list()).keys.map(({ name }) => name));
    const first = await membersOf(await worker.post("ada"));
    const entry = (await env.TOKEN_CACHE.list()).keys.find(({ name }) => !before.has(name));
    await env.TOKEN_CACHE.put(entry?.name ?? "", "garbage");

    const second = await worker.post("ada");
    expect(second.headers.get("Cache-Status")).toContain("fwd=miss");
    expect((await membersOf(second))["access_token"]).not.toBe(first["access_token"]);
  });

  it("reads the private key from a Secrets Store binding", async () => {
    const app = await createTestApp();
    const secret = { get: async () => app.settings["PRIVATE_KEY"] };
    const worker = await startWorker({ ...app.settings, PRIVATE_KEY: secret });
    expect((await worker.post()).status).toBe(200);
  });

  it("recovers by itself once the Secrets Store answers", async () => {
    const app = await createTestApp();
    let asked = 0;
    const secret = {
      get: async () => {
        asked += 1;
        if (asked === 1) throw new Error("secret not found");
        return app.settings["PRIVATE_KEY"];
      },
    };
    const worker = await startWorker({ ...app.settings, PRIVATE_KEY: secret });
    const refused = await worker.post();
    expect(refused.status).toBe(500);
    expect(await membersOf(refused)).toMatchObject({
      problems: [{ setting: "PRIVATE_KEY", problem: expect.stringContaining("Secrets Store") }],
    });
    expect((await worker.post()).status).toBe(200);
  });
});
