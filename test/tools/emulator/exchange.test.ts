import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEmulator } from "../../../tools/emulator/emulator.ts";
import {
  CLIENT_ID,
  GRANT_TYPE,
  KID,
  keyPair,
  type Properties,
  type Rig,
  signAssertion,
  startRig,
  TOKEN_PATH,
} from "./harness.ts";

describe("an exchange", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());

  it.each([
    ["the token path", TOKEN_PATH],
    ["the path of an account", "/api/permission/oauth2/account/20090009/token"],
    ["the path of an enterprise", "/api/permission/oauth2/enterprise_id/e_1/token"],
  ])("responds with a bearer token, JSON and a log id on %s", async (_, path) => {
    const response = await rig.exchange({ path });

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(response.headers.get("x-tt-logid")).toMatch(/^\d{14}[\dA-F]{20}$/);
    expect(await response.json()).toEqual({
      access_token: expect.stringMatching(/^czs_[\w-]{64}$/),
      expires_in: expect.any(Number),
      token_type: "Bearer",
    });
  });

  it("issues a different token for each exchange", async () => {
    const tokens = await Promise.all([rig.issue(), rig.issue(), rig.issue()]);

    expect(new Set(tokens).size).toBe(3);
  });

  it.each([
    ["a duration of one second", { duration_seconds: 1 }],
    ["the longest duration", { duration_seconds: 86_399 }],
    ["null for a scope, as the SDK for Python sends it", { scope: null }],
    [
      "null inside a scope",
      { scope: { account_permission: { permission_list: ["Connector.botChat"] }, attribute_constraint: null } },
    ],
    [
      "workspace and workflow permissions",
      {
        scope: {
          workspace_permission: { workspace_id_list: ["1"], permission_list: ["Connector.botChat"] },
          workflow_permission: { workflow_id_list: ["2"], permission_list: ["Connector.botChat"] },
        },
      },
    ],
    ["a client_id, as the SDKs for Go and Java send it", { client_id: CLIENT_ID }],
  ])("accepts an exchange with %s", async (_, properties) => {
    const response = await rig.exchange({ body: { grant_type: GRANT_TYPE, ...properties } });

    expect(response.status).toBe(200);
  });

  it.each([
    ["a jti as short as the SDK for Go makes it", { jti: "0123456789abcdef" }],
    ["a clock that is half a minute ahead", { iat: Math.floor(Date.now() / 1000) + 30 }],
    ["a session context", { session_context: { device_info: { device_id: "1", custom_consumer: "c" } } }],
    ["claims that Coze does not document", { sub: "x", nbf: 1 }],
  ])("accepts an assertion with %s", async (_, claims) => {
    const response = await rig.exchange({ assertion: signAssertion({ claims }) });

    expect(response.status).toBe(200);
  });

  it("accepts an exchange whose content type has a charset", async () => {
    const response = await rig.exchange({ headers: { "Content-Type": "application/json; charset=utf-8" } });

    expect(response.status).toBe(200);
  });

  it("accepts the same jti from two apps", async () => {
    const other = { client_id: "2", keys: [{ kid: KID, public_key: keyPair.publicKey }] };
    await rig.control("POST", "/apps", other);

    const first = await rig.exchange({ assertion: signAssertion({ claims: { jti: "shared" } }) });
    const second = await rig.exchange({ assertion: signAssertion({ claims: { jti: "shared", iss: "2" } }) });

    expect([first.status, second.status]).toEqual([200, 200]);
  });
});

describe("the time", () => {
  const START = 1_721_134_959;

  it("takes the time as an argument: a token expires in the second of its absolute expires_in", async () => {
    const { exchangeAt, request } = await startAt(START);

    const response = await exchangeAt(START, { jti: "1" });
    const { access_token, expires_in } = await response.json<{ access_token: string; expires_in: number }>();
    const headers = { Authorization: `Bearer ${access_token}` };
    const before = await request(START + 899, "/v1/users/me", { headers });
    const after = await request(START + 900, "/v1/users/me", { headers });

    expect(expires_in).toBe(START + 900);
    expect([before.status, after.status]).toEqual([200, 401]);
  });

  it("writes the time of Beijing into the log id", async () => {
    const { request } = await startAt(START);

    const response = await request(START, "/");

    expect(response.headers.get("x-tt-logid")).toMatch(/^20240716210239[\dA-F]{20}$/);
  });

  it("accepts a used jti again when the assertion that used it has expired", async () => {
    const { exchangeAt } = await startAt(START);

    const statuses: number[] = [];
    for (const time of [START, START + 599, START + 600]) {
      const response = await exchangeAt(time, { jti: "same" });
      statuses.push(response.status);
    }

    expect(statuses).toEqual([200, 401, 200]);
  });

  it.each([
    [START + 1, 200],
    [START, 401],
  ])("accepts an assertion until the second of its exp: exp %d, status %d", async (exp, status) => {
    const { exchangeAt } = await startAt(START);

    const response = await exchangeAt(START, { jti: "1", iat: START - 600, exp });

    expect(response.status).toBe(status);
  });

  it.each([
    [60, 200],
    [61, 401],
  ])("checks how far a client's clock may be ahead: %d seconds, status %d", async (seconds, status) => {
    const { exchangeAt } = await startAt(START);

    const response = await exchangeAt(START, { jti: "1", iat: START + seconds });

    expect(response.status).toBe(status);
  });

  /** An emulator without a server, whose clock stands where a test puts it, in Unix seconds. */
  async function startAt(start: number) {
    let time = start;
    const emulator = createEmulator({ now: () => time * 1000 });
    const keys = [{ kid: KID, public_key: keyPair.publicKey }];
    await request(start, "/emulator/apps", { method: "POST", body: JSON.stringify({ client_id: CLIENT_ID, keys }) });
    return { exchangeAt, request };

    async function request(at: number, path: string, init?: RequestInit): Promise<Response> {
      time = at;
      return emulator.request(`http://localhost${path}`, init);
    }

    function exchangeAt(at: number, claims: Properties) {
      const assertion = signAssertion({ claims: { iat: at, exp: at + 600, ...claims } });
      return request(at, TOKEN_PATH, {
        method: "POST",
        headers: { Authorization: `Bearer ${assertion}`, "Content-Type": "application/json" },
        body: JSON.stringify({ grant_type: GRANT_TYPE }),
      });
    }
  }
});
