import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { APP_NAME, CLIENT_ID, KID, keyPair, type Rig, startRig } from "./harness.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
  await rig.control("POST", "/apps", { client_id: "2", keys: [{ kid: KID, public_key: keyPair.publicKey }] });
});
beforeEach(async () => {
  await rig.control("POST", "/tokens/revoke", { client_id: CLIENT_ID });
  await rig.control("POST", "/tokens/revoke", { client_id: "2" });
});
afterAll(() => rig.close());

describe("GET /v1/users/me", () => {
  it("returns the owner of the app at /v1/users/me for a live token", async () => {
    const token = await rig.issue();

    expect(await rig.me(token)).toEqual({
      status: 200,
      body: {
        code: 0,
        msg: "",
        data: {
          user_id: expect.stringMatching(/^\d{16}$/),
          user_name: `owner_${CLIENT_ID}`,
          nick_name: APP_NAME,
          avatar_url: "https://example.com/avatar.png",
        },
        detail: { logid: expect.stringMatching(/^\d{14}[\dA-F]{20}$/) },
      },
    });
  });

  it("returns the same owner for all tokens of an app, and another for another app", async () => {
    const tokens = await Promise.all([
      rig.issue(),
      rig.issue({ claims: { session_name: "u" } }),
      rig.issue({ claims: { iss: "2" } }),
    ]);
    const [first, second, other] = await Promise.all(tokens.map(fetchOwner));

    expect(first).toEqual(second);
    expect(first?.user_id).not.toBe(other?.user_id);
  });

  it.each([
    ["an unknown token", { Authorization: "Bearer czs_never_issued" }],
    ["no token", {}],
    ["another scheme", { Authorization: "Basic czs_never_issued" }],
  ])("responds with 4100 at /v1/users/me to %s", async (_, headers) => {
    const response = await fetch(`${rig.url}/v1/users/me`, { headers });

    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      code: 4100,
      msg: "authentication is invalid",
      detail: { logid: response.headers.get("x-tt-logid") },
    });
  });

  it("responds with 4100 at /v1/users/me to a live token in another scheme", async () => {
    const response = await fetch(`${rig.url}/v1/users/me`, { headers: { Authorization: await rig.issue() } });

    expect(response.status).toBe(401);
  });

  it("responds with 4100 at /v1/users/me once the token has expired", async () => {
    const token = await rig.issue({}, { duration_seconds: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1_100));

    expect(await rig.me(token)).toMatchObject({ status: 401, body: { code: 4100 } });
  });
});

describe.each(["expire", "revoke"])("POST /emulator/tokens/%s", (ending) => {
  it(`${ending}s one token`, async () => {
    const token = await rig.issue();
    const other = await rig.issue();

    expect(await end({ access_token: token })).toBe(1);
    expect(await fetchStatuses(token, other)).toEqual([401, 200]);
  });

  it(`${ending}s the tokens of an app`, async () => {
    const [token, second, other] = [await rig.issue(), await rig.issue(), await rig.issue({ claims: { iss: "2" } })];

    expect(await end({ client_id: CLIENT_ID })).toBe(2);
    expect(await fetchStatuses(token, second, other)).toEqual([401, 401, 200]);
  });

  it(`${ending}s the tokens of a session`, async () => {
    const token = await rig.issue({ claims: { session_name: "user_1" } });
    const other = await rig.issue({ claims: { session_name: "user_2" } });
    const shared = await rig.issue();

    expect(await end({ session_name: "user_1" })).toBe(1);
    expect(await fetchStatuses(token, other, shared)).toEqual([401, 200, 200]);
  });

  it(`${ending}s only tokens that fit every property of the selection`, async () => {
    const token = await rig.issue({ claims: { session_name: "user_1" } });
    const other = await rig.issue({ claims: { session_name: "user_1", iss: "2" } });

    expect(await end({ session_name: "user_1", client_id: "2" })).toBe(1);
    expect(await fetchStatuses(token, other)).toEqual([200, 401]);
  });

  it(`${ending}s and counts live tokens only`, async () => {
    const token = await rig.issue();

    expect(await end({ access_token: token })).toBe(1);
    expect(await end({ access_token: token })).toBe(0);
    expect(await end({ access_token: "czs_never_issued" })).toBe(0);
  });

  it.each<[problem: string, selector: unknown]>([
    ["body: selects nothing: access_token, client_id or session_name", {}],
    ["session: is not a known property", { client_id: CLIENT_ID, session: "user_1" }],
    ["session_name: Invalid input: expected string, received null", { session_name: null }],
  ])(`refuses an invalid selection of tokens to ${ending}: %s`, async (problem, selector) => {
    expect(await rig.control("POST", `/tokens/${ending}`, selector)).toEqual({
      status: 400,
      body: { error: "invalid_request", problem },
    });
  });

  async function end(selector: Record<string, string>): Promise<unknown> {
    const { status, body } = await rig.control("POST", `/tokens/${ending}`, selector);
    expect(status).toBe(200);
    return body.count;
  }
});

async function fetchStatuses(...tokens: string[]): Promise<number[]> {
  const responses = await Promise.all(tokens.map(rig.me));
  return responses.map(({ status }) => status);
}

async function fetchOwner(token: string): Promise<{ user_id: string }> {
  const { body } = await rig.me(token);
  return body.data;
}
