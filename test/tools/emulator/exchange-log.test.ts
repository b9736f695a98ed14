import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createExchangeLog } from "../../../tools/emulator/exchange-log.ts";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { AUDIENCE, CLIENT_ID, GRANT_TYPE, KID, type Rig, signAssertion, startRig, TOKEN_PATH } from "./harness.ts";

describe("the list of exchanges", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(() => rig.control("DELETE", "/exchanges"));
  afterAll(() => rig.close());

  it("lists every fact of a successful exchange", async () => {
    const claims = { iss: CLIENT_ID, aud: AUDIENCE, iat: 1, exp: 4_000_000_000, jti: "j", session_name: "user_2222" };
    const body = { grant_type: GRANT_TYPE, duration_seconds: 60, scope: null };

    const before = Date.now();
    const response = await rig.exchange({
      assertion: signAssertion({ claims }),
      body,
      headers: { "X-Custom": "seen" },
    });
    const { access_token } = await response.json<{ access_token: string }>();
    const [exchange] = await rig.exchanges();

    expect(exchange).toEqual({
      at: expect.any(Number),
      path: TOKEN_PATH,
      status: 200,
      fault: null,
      request_headers: expect.objectContaining({
        authorization: "Bearer",
        "content-type": "application/json",
        "x-custom": "seen",
      }),
      assertion: { header: { alg: "RS256", typ: "JWT", kid: KID }, claims },
      body,
      error_code: null,
      access_token_sha256: sha256Hex(access_token),
      problem: null,
      log_id: response.headers.get("x-tt-logid"),
    });
    expect(exchange?.at).toBeGreaterThanOrEqual(before);
    expect(exchange?.at).toBeLessThanOrEqual(Date.now());
  });

  it("lists refused and faulted exchanges too, in order of arrival", async () => {
    const { body: fault } = await rig.control("POST", "/faults", {
      response: { status: 500, body: { error_code: "x" } },
    });
    await rig.exchange({ body: "no JSON" });
    await rig.exchange({ assertion: "garbage", path: "/api/permission/oauth2/account/1/token" });
    await rig.exchange({ body: {} });

    expect(await rig.exchanges()).toMatchObject([
      { status: 500, fault: fault.id, error_code: "x", body: null, assertion: { claims: { iss: CLIENT_ID } } },
      {
        path: "/api/permission/oauth2/account/1/token",
        status: 401,
        fault: null,
        error_code: "invalid_client",
        assertion: null,
        problem: "assertion: is not a JWT",
      },
      {
        status: 400,
        fault: null,
        error_code: "invalid_request",
        access_token_sha256: null,
        body: {},
        problem: "grant_type: Invalid input: expected string, received undefined",
      },
    ]);
  });

  it("does not list requests that are no exchanges", async () => {
    await fetch(rig.url + TOKEN_PATH);
    await rig.me("czs_x");

    expect(await rig.exchanges()).toEqual([]);
  });

  it("lists and clears the exchanges of one app", async () => {
    await rig.exchange();
    await rig.exchange({ assertion: signAssertion({ claims: { iss: "2" } }) });
    await rig.exchange({ assertion: "garbage" });

    expect(await rig.exchanges("?client_id=2")).toMatchObject([{ assertion: { claims: { iss: "2" } } }]);
    expect(await rig.control("DELETE", "/exchanges?client_id=2")).toEqual({ status: 200, body: { count: 1 } });
    expect(await rig.exchanges()).toHaveLength(2);
    expect(await rig.control("DELETE", "/exchanges")).toEqual({ status: 200, body: { count: 2 } });
    expect(await rig.exchanges()).toEqual([]);
  });

  it("never lists an assertion or a token, wherever the client put it", async () => {
    const accessToken = await rig.issue();
    const assertion = signAssertion();
    await rig.exchange({
      assertion,
      headers: { "X-Assertion": assertion, Cookie: `token=${accessToken}` },
      body: { grant_type: GRANT_TYPE, assertion, note: `\n${assertion}\n${accessToken}`, [accessToken]: 1 },
    });
    await rig.exchange({ headers: { Authorization: assertion } });
    await rig.exchange({ headers: { Authorization: `DPoP ${assertion}` } });
    await rig.exchange({ path: `/api/permission/oauth2/account/${accessToken}/token` });

    const exchanges = await rig.exchanges();
    const text = JSON.stringify(exchanges);

    expect(exchanges.map((exchange) => exchange.request_headers)).toMatchObject([
      { authorization: "Bearer" },
      { authorization: "Bearer", "x-assertion": "[assertion]", cookie: "token=[access token]" },
      { authorization: "" },
      { authorization: "DPoP" },
      { authorization: "Bearer" },
    ]);
    expect(text).not.toContain("czs_");
    for (const part of assertion.split(".")) expect(text).not.toContain(part);
  });
});

describe("the memory of exchanges", () => {
  it("drops the oldest exchange when the list is full", () => {
    const log = createExchangeLog(2);
    for (const at of [1, 2, 3]) {
      log.open({ at, path: "", fault: null, request_headers: {}, assertion: null, body: null, log_id: "" });
    }

    expect(log.list(undefined).map(({ at }) => at)).toEqual([2, 3]);
  });
});
