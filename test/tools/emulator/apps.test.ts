import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { CLIENT_ID, KID, keyPair, type Rig, signAssertion, startRig } from "./harness.ts";

const nextPair = createKeyPair();
const NEXT_KID = "next";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => register({ keys: [{ kid: KID, public_key: keyPair.publicKey }] }));
afterAll(() => rig.close());

describe("registering an app", () => {
  it("returns a registered app with the defaults filled in, without the material of its keys", async () => {
    expect(await register({ keys: [{ kid: KID, public_key: keyPair.publicKey }] })).toEqual({
      status: 201,
      body: { client_id: CLIENT_ID, name: CLIENT_ID, audience: "api.coze.cn", active: true, keys: [{ kid: KID }] },
    });
  });

  it("registers an app with a name and the region's host", async () => {
    const keys = [{ kid: KID, public_key: keyPair.publicKey }];
    const { body } = await register({ name: "Shop", audience: "api.coze.com", keys });

    expect(body).toMatchObject({ name: "Shop", audience: "api.coze.com" });
    expect(await fetchStatus({ claims: { aud: "api.coze.com" } })).toBe(200);
    expect(await fetchStatus({ claims: { aud: "api.coze.cn" } })).toBe(401);
  });

  it("replaces a registered app of the same client id", async () => {
    await rig.control("PATCH", `/apps/${CLIENT_ID}`, { active: false });
    await register({ keys: [{ kid: NEXT_KID, public_key: nextPair.publicKey }] });

    expect(await fetchStatus()).toBe(401);
    expect(await fetchStatus({ header: { kid: NEXT_KID }, privateKey: nextPair.privateKey })).toBe(200);
  });

  const ecKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" });
  const key = { kid: KID, public_key: keyPair.publicKey };
  const NOT_A_KEY = "is not an RSA public key in SPKI PEM form (BEGIN PUBLIC KEY)";

  it.each<[problem: string, properties: Record<string, unknown>]>([
    ["keys: Invalid input: expected array, received undefined", {}],
    ["keys: an app has 3 keys at most", { keys: ["1", "2", "3", "4"].map((kid) => ({ ...key, kid })) }],
    ["keys: a kid stands for one key only", { keys: [key, key] }],
    ["keys[0].kid: Invalid input: expected string, received undefined", { keys: [{ ...key, kid: undefined }] }],
    ["keys[0].alg: is not a known property", { keys: [{ ...key, alg: "RS256" }] }],
    [`keys[0].public_key: ${NOT_A_KEY}`, { keys: [{ ...key, public_key: "x" }] }],
    [`keys[0].public_key: ${NOT_A_KEY}`, { keys: [{ ...key, public_key: keyPair.privateKey }] }],
    [`keys[0].public_key: ${NOT_A_KEY}`, { keys: [{ ...key, public_key: ecKey }] }],
    [
      "keys[0].public_key: has 1024 bits; RS256 needs at least 2048",
      {
        keys: [{ ...key, public_key: createKeyPair(1024).publicKey }],
      },
    ],
    [
      "audience: is a host such as api.coze.cn, without scheme and path",
      {
        audience: "https://api.coze.cn",
        keys: [key],
      },
    ],
    ["name: Invalid input: expected string, received number", { name: 1, keys: [key] }],
    ["client_id: Invalid input: expected string, received number", { client_id: 1, keys: [key] }],
    ["secret: is not a known property", { secret: "x", keys: [key] }],
  ])("refuses to register an invalid app: %s", async (problem, properties) => {
    expect(await register(properties)).toEqual({ status: 400, body: { error: "invalid_request", problem } });
    expect(await fetchStatus()).toBe(200);
  });
});

describe("changing an app", () => {
  it("changes only the named properties of an app", async () => {
    const { status, body } = await rig.control("PATCH", `/apps/${CLIENT_ID}`, {
      name: "New",
      audience: "api.coze.com",
    });

    expect(status).toBe(200);
    expect(body).toEqual({
      client_id: CLIENT_ID,
      name: "New",
      audience: "api.coze.com",
      active: true,
      keys: [{ kid: KID }],
    });
    expect(await fetchStatus({ claims: { aud: "api.coze.com" } })).toBe(200);
  });

  it("deactivates and activates an app, whose issued tokens stay valid", async () => {
    const token = await rig.issue();

    await rig.control("PATCH", `/apps/${CLIENT_ID}`, { active: false });
    expect(await fetchStatus()).toBe(403);
    expect(await rig.me(token)).toMatchObject({ status: 200 });

    await rig.control("PATCH", `/apps/${CLIENT_ID}`, { active: true });
    expect(await fetchStatus()).toBe(200);
  });

  it.each<[problem: string, change: unknown]>([
    ["body: says nothing to change: active, name or audience", {}],
    ["active: Invalid input: expected boolean, received string", { active: "no" }],
    ["keys: is not a known property", { active: true, keys: [] }],
  ])("refuses an invalid change of an app: %s", async (problem, change) => {
    expect(await rig.control("PATCH", `/apps/${CLIENT_ID}`, change)).toEqual({
      status: 400,
      body: { error: "invalid_request", problem },
    });
  });
});

describe("rotating keys", () => {
  it("accepts an app's old key and new one side by side, and then the new one alone", async () => {
    const added = await addKey(NEXT_KID, nextPair.publicKey);
    expect(added).toMatchObject({ status: 201, body: { keys: [{ kid: KID }, { kid: NEXT_KID }] } });
    expect(await fetchStatus()).toBe(200);
    expect(await fetchStatus({ header: { kid: NEXT_KID }, privateKey: nextPair.privateKey })).toBe(200);

    const deleted = await rig.control("DELETE", `/apps/${CLIENT_ID}/keys/${KID}`);
    expect(deleted).toMatchObject({ status: 200, body: { keys: [{ kid: NEXT_KID }] } });
    expect(await fetchStatus()).toBe(401);
    expect(await fetchStatus({ header: { kid: NEXT_KID }, privateKey: nextPair.privateKey })).toBe(200);
  });

  it("refuses a fourth key of an app until one is deleted", async () => {
    await addKey("second", keyPair.publicKey);
    await addKey("third", keyPair.publicKey);

    expect(await addKey("fourth", keyPair.publicKey)).toEqual({
      status: 400,
      body: { error: "invalid_request", problem: "keys: an app has 3 keys at most" },
    });
    await rig.control("DELETE", `/apps/${CLIENT_ID}/keys/second`);
    expect(await addKey("fourth", keyPair.publicKey)).toMatchObject({ status: 201 });
  });

  it("refuses a second key of an app under the same kid", async () => {
    expect(await addKey(KID, nextPair.publicKey)).toEqual({
      status: 400,
      body: { error: "invalid_request", problem: "kid: the app has this key already" },
    });
    expect(await fetchStatus()).toBe(200);
  });

  it("refuses a key of an app that is not a public key", async () => {
    expect(await addKey(NEXT_KID, "x")).toEqual({
      status: 400,
      body: {
        error: "invalid_request",
        problem: "public_key: is not an RSA public key in SPKI PEM form (BEGIN PUBLIC KEY)",
      },
    });
  });
});

describe("removing an app", () => {
  it("refuses assertions of a removed app as those of an unknown one", async () => {
    expect(await rig.control("DELETE", `/apps/${CLIENT_ID}`)).toEqual({ status: 204, body: null });

    const response = await rig.exchange();
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error_message: "invalid jwt: kid not been registred" });
  });

  it("does not make used assertions of a removed app usable again", async () => {
    const assertion = signAssertion();
    await rig.exchange({ assertion });
    await rig.control("DELETE", `/apps/${CLIENT_ID}`);
    await register({ keys: [{ kid: KID, public_key: keyPair.publicKey }] });

    expect((await rig.exchange({ assertion })).status).toBe(401);
  });
});

describe("what is not there", () => {
  const key = { kid: "k", public_key: keyPair.publicKey };

  it.each<[method: string, path: string, problem: string, body?: unknown]>([
    ["PATCH", "/apps/nobody", "client_id: no such app", { active: true }],
    ["DELETE", "/apps/nobody", "client_id: no such app"],
    ["POST", "/apps/nobody/keys", "client_id: no such app", key],
    ["DELETE", "/apps/nobody/keys/k", "client_id: no such app"],
    ["DELETE", `/apps/${CLIENT_ID}/keys/nothing`, "kid: the app has no such key"],
  ])(
    "responds with 404 to a change of an app or key that does not exist: %s %s",
    async (method, path, problem, body) => {
      expect(await rig.control(method, path, body)).toEqual({ status: 404, body: { error: "not_found", problem } });
    },
  );
});

function register(properties: Record<string, unknown>) {
  return rig.control("POST", "/apps", { client_id: CLIENT_ID, ...properties });
}

function addKey(kid: string, publicKey: string) {
  return rig.control("POST", `/apps/${CLIENT_ID}/keys`, { kid, public_key: publicKey });
}

async function fetchStatus(bend?: Parameters<typeof signAssertion>[0]): Promise<number> {
  const response = await rig.exchange({ assertion: signAssertion(bend) });
  return response.status;
}
