import { createPrivateKey } from "node:crypto";
import { CozeAPI, getJWTToken } from "@coze/api";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  APP_NAME,
  AUDIENCE,
  CLIENT_ID,
  GRANT_TYPE,
  KID,
  keyPair,
  nowInSeconds,
  type Rig,
  startRig,
} from "./harness.ts";

describe("the official SDK, unchanged", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(() => rig.control("DELETE", "/exchanges"));
  afterAll(() => rig.close());

  function configuration() {
    return { baseURL: rig.url, appId: CLIENT_ID, aud: AUDIENCE, keyid: KID, privateKey: keyPair.privateKey };
  }

  it("gives the official SDK a token with the default lifetime of 900 seconds", async () => {
    const before = nowInSeconds();
    const token = await getJWTToken(configuration());

    expect(token.access_token).toMatch(/^czs_[\w-]{64}$/);
    expect(token.expires_in).toBeGreaterThanOrEqual(before + 900);
    expect(token.expires_in).toBeLessThanOrEqual(nowInSeconds() + 900);
  });

  it("gives the official SDK a token for the same key in PKCS#1 form", async () => {
    const pkcs1 = createPrivateKey(keyPair.privateKey).export({ type: "pkcs1", format: "pem" }).toString();

    const token = await getJWTToken({ ...configuration(), privateKey: pkcs1 });

    expect(await rig.me(token.access_token)).toMatchObject({ status: 200 });
  });

  it("receives session name, scope and duration from the official SDK", async () => {
    const scope = {
      account_permission: { permission_list: ["Connector.botChat"] },
      attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["7379462189365198898"] } },
    };

    const before = nowInSeconds();
    const token = await getJWTToken({ ...configuration(), sessionName: "user_2222", scope, durationSeconds: 86_399 });

    expect(token.expires_in).toBeGreaterThanOrEqual(before + 86_399);
    expect(await rig.exchanges()).toMatchObject([
      {
        status: 200,
        assertion: { claims: { session_name: "user_2222" } },
        body: { grant_type: GRANT_TYPE, duration_seconds: 86_399, scope },
      },
    ]);
  });

  it("gives the official SDK a token of another account", async () => {
    const token = await getJWTToken({ ...configuration(), accountId: "20090009" });

    expect(token.access_token).toMatch(/^czs_/);
    expect(await rig.exchanges()).toMatchObject([
      { path: "/api/permission/oauth2/account/20090009/token", status: 200 },
    ]);
  });

  it("gives the official SDK the owner of its token from users.me()", async () => {
    const { access_token } = await getJWTToken(configuration());

    const user = await new CozeAPI({ baseURL: rig.url, token: access_token }).users.me();

    expect(user).toEqual({
      user_id: expect.stringMatching(/^\d{16}$/),
      user_name: `owner_${CLIENT_ID}`,
      nick_name: APP_NAME,
      avatar_url: "https://example.com/avatar.png",
    });
  });

  it("raises in the official SDK an authentication error with Coze's message and log id for a refused key", async () => {
    await expect(getJWTToken({ ...configuration(), keyid: "unknown" })).rejects.toMatchObject({
      name: "AuthenticationError",
      status: 401,
      logid: expect.stringMatching(/^\d{14}[\dA-F]{20}$/),
      rawError: { error_code: "invalid_client", error_message: "invalid jwt: kid not been registred" },
    });
  });

  it("raises in the official SDK error 4100 for a token that was never issued", async () => {
    const client = new CozeAPI({ baseURL: rig.url, token: "czs_never_issued" });

    await expect(client.users.me()).rejects.toMatchObject({
      name: "AuthenticationError",
      status: 401,
      code: 4100,
      msg: "authentication is invalid",
      logid: expect.stringMatching(/^\d{14}[\dA-F]{20}$/),
    });
  });
});
