import { CozeAPI, getJWTToken } from "@coze/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { startEmulator } from "../../tools/emulator/server.ts";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { SHIPPED_TOML_PATH } from "../support/shipped-toml.ts";

const CLIENT_ID = "1127896425345";
const KID = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE";
const AUDIENCE = "api.coze.cn";
const scope = {
  account_permission: { permission_list: ["Connector.botChat"] },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["7379462189365198898"] } },
};

const keyPair = createKeyPair();

let emulator: Awaited<ReturnType<typeof startEmulator>>;
let harness: TestHarness;
let workerUrl: URL;

/** The Worker as it is deployed, built by wrangler, in workerd, over HTTP. */
beforeAll(async () => {
  emulator = await startEmulator();
  await fetch(`${emulator.url}/emulator/apps`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_id: CLIENT_ID, keys: [{ kid: KID, public_key: keyPair.publicKey }] }),
  });
  harness = createTestHarness({
    workers: [
      {
        configPath: SHIPPED_TOML_PATH,
        vars: { CLIENT_ID, KID, TOKEN_ENDPOINT: `${emulator.url}/api/permission/oauth2/token`, TOKEN_SCOPE: scope },
        secrets: { PRIVATE_KEY: keyPair.privateKey },
      },
    ],
  });
  workerUrl = (await harness.listen()).url;
});

afterAll(async () => {
  await harness.close();
  await emulator.close();
});

type Received = {
  readonly path: string;
  readonly request_headers: Readonly<Record<string, string>>;
  readonly assertion: { readonly header: object; readonly claims: Readonly<Record<string, unknown>> };
  readonly body: object;
};

async function receivedExchanges(): Promise<readonly Received[]> {
  const response = await fetch(`${emulator.url}/emulator/exchanges`);
  return ((await response.json()) as { exchanges: Received[] }).exchanges; // the emulator's documented shape
}

async function askWorker(userId: string): Promise<string> {
  const response = await fetch(workerUrl, { method: "POST", headers: { "X-User-ID": userId } });
  expect(response.status).toBe(200);
  const { access_token: token } = (await response.json()) as { access_token: string }; // asserted below by its use
  return token;
}

describe("the Worker as deployed", () => {
  it("sends Coze the request that the official SDK sends for the same settings", async () => {
    await fetch(`${emulator.url}/emulator/exchanges`, { method: "DELETE" });
    const startedAt = Math.floor(Date.now() / 1000);
    await askWorker("ada");
    await getJWTToken({
      baseURL: emulator.url,
      appId: CLIENT_ID,
      aud: AUDIENCE,
      keyid: KID,
      privateKey: keyPair.privateKey,
      sessionName: "ada",
      scope: { ...scope },
    });
    const [ours, theirs] = await receivedExchanges();
    if (ours === undefined || theirs === undefined) throw new Error("The emulator did not receive both requests.");

    expect(ours.path).toBe(theirs.path);
    expect(ours.body).toEqual(theirs.body);
    expect(ours.assertion.header).toEqual(theirs.assertion.header);
    const { jti, iat, exp, ...claims } = ours.assertion.claims;
    const { jti: theirJti, iat: theirIat, exp: theirExp, ...theirClaims } = theirs.assertion.claims;
    expect(claims).toEqual(theirClaims);
    expect(Number(exp) - Number(iat)).toBe(Number(theirExp) - Number(theirIat));
    expect(Number(iat)).toBeGreaterThanOrEqual(startedAt);
    expect(Number(iat)).toBeLessThanOrEqual(Number(theirIat));
    expect(jti).toMatch(/^[\w-]{43,}$/);
    expect(jti).not.toBe(theirJti);
    for (const name of ["authorization", "content-type"]) {
      expect(ours.request_headers[name]).toBe(theirs.request_headers[name]);
    }
  });

  it("serves the official SDK, which requests the token before each of its requests", async () => {
    const coze = new CozeAPI({ baseURL: emulator.url, token: () => askWorker("grace") });
    expect(await coze.users.me()).toMatchObject({ user_id: expect.any(String) });

    const stranger = new CozeAPI({ baseURL: emulator.url, token: "czs_invented" });
    await expect(stranger.users.me()).rejects.toThrow("4100");
  });

  it("limits the new tokens of a user, by the bindings of wrangler.toml", async () => {
    const statuses = [];
    const userId = `eve-${crypto.randomUUID()}`; // the counts of a run before this one may be there still
    // The local limiter counts in whole minutes: two of them at most, each with 30 new tokens.
    for (let seconds = 100; seconds <= 160; seconds += 1) {
      const response = await fetch(workerUrl, {
        method: "POST",
        headers: { "X-User-ID": userId, "Content-Type": "application/json" },
        body: JSON.stringify({ duration_seconds: seconds }),
      });
      statuses.push(response.status);
    }
    expect(statuses.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 200));
    expect(statuses).toContain(429);
    expect(await askWorker("somebody-else")).toMatch(/^czs_/);
  });

  it("caches a token in real KV on the deployed Worker", async () => {
    const first = await askWorker("linus");
    const response = await fetch(workerUrl, { method: "POST", headers: { "X-User-ID": "linus" } });
    expect(response.headers.get("Cache-Status")).toMatch(/^coze-token-worker; hit; ttl=\d+$/);
    expect(await response.json()).toMatchObject({ access_token: first });
  });
});
