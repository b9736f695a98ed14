import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, invalidClient, sha256, unavailable } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { createTestIssuer, sharedKey, type TestIssuer } from "../../support/issuer.ts";
import { propertiesOf, startWorker, type TestWorker } from "../../support/worker.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let issuer: TestIssuer;
let worker: TestWorker;
let start: number;

beforeEach(async () => {
  const app = await createTestApp();
  issuer = await createTestIssuer();
  worker = await startWorker({
    ...app.settings,
    CALLERS: [
      { name: "script", key_sha256: sha256(API_KEY) },
      { name: "web", issuer: issuer.issuer, audience: "api" },
    ],
    // So long that no token has to be exchanged while the clock is put forward.
    TOKEN_DURATION: 86_399,
  });
  start = Date.now();
  passTo(0);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Stops the clock so far after the beginning of the test: a machine that is slow must not move it. */
function passTo(milliseconds: number): void {
  vi.spyOn(Date, "now").mockReturnValue(start + milliseconds);
}

/** Posts with a fresh JWT of a user, signed with a key of the issuer. */
async function post(key = issuer.keys[0], userId = "ada"): Promise<Response> {
  return worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: userId }, {}, key)));
}

/** Posts so many times at once, each time with a JWT signed with the key. */
function postTimes(count: number, key = issuer.keys[0]): Promise<Response[]> {
  return Promise.all(Array.from({ length: count }, () => post(key)));
}

async function expectError(
  responding: Promise<Response>,
  { status, error, description }: ReturnType<typeof unavailable>,
) {
  const response = await responding;
  expect(await propertiesOf(response)).toMatchObject({
    error,
    error_description: expect.stringContaining(description),
  });
  expect(response.status).toBe(status);
}

const down = () => unavailable(`The keys of ${issuer.issuer} could not be fetched. Try again.`);
const unknownKey = invalidClient("signed with a key that the issuer does not have");

describe("the keys of an issuer", () => {
  it("fetches an issuer's keys once for the first request and those that arrive meanwhile", async () => {
    const { issuer: address, jwksUri } = issuer;
    await issuer.publish("discovery", { delay_ms: 300, body: JSON.stringify({ issuer: address, jwks_uri: jwksUri }) });
    const first = post();
    await vi.waitFor(async () => expect((await issuer.fetches()).discovery).toBe(1), { timeout: 10_000 });
    expect((await post(undefined, "bob")).status).toBe(200);
    expect((await first).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("fetches an issuer's keys once for ten concurrent first requests, and grants all ten a token", async () => {
    expect((await postTimes(10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("fetches an issuer's keys once for all its callers, and without discovery from jwks_uri", async () => {
    const caller = { issuer: issuer.issuer, jwks_uri: issuer.jwksUri, audience: "api" };
    const callers = [
      { ...caller, name: "admins", claims: { role: "admin" } },
      { ...caller, name: "web" },
    ];
    worker = await startWorker({ ...(await createTestApp()).settings, CALLERS: callers });
    expect((await post()).status).toBe(200);
    expect((await post(undefined, "bob")).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 0, keys: 1 });
  });

  it("fetches no keys for an API key, no credential, or a JWT of another issuer", async () => {
    const other = await createTestIssuer();
    await worker.post("ada", bearer(API_KEY));
    await worker.post("ada");
    await worker.post("ada", bearer(await other.sign({ aud: "api", sub: "ada" })));
    expect(await issuer.fetches()).toEqual({ discovery: 0, keys: 0 });
  });

  it("caches an issuer's keys for ten minutes, and then fetches them again", async () => {
    await post();
    passTo(9 * MINUTE);
    expect((await post()).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });

    passTo(10 * MINUTE + SECOND);
    const responses = await postTimes(10);
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200));
    expect(await issuer.fetches()).toEqual({ discovery: 2, keys: 2 });
  });

  it("rejects a key that its issuer has withdrawn, ten minutes later", async () => {
    await post();
    await issuer.publishKeys(await sharedKey("ES256"));
    passTo(9 * MINUTE);
    expect((await post()).status).toBe(200);
    passTo(11 * MINUTE);
    await expectError(post(), unknownKey);
  });

  it("fetches an issuer's keys again for a JWT with an unknown key", async () => {
    const next = await sharedKey("ES256");
    await post();
    await issuer.publishKeys(...issuer.keys, next);
    passTo(31 * SECOND);
    expect((await post(next)).status).toBe(200);
    expect((await post()).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 2, keys: 2 });
  });

  it("fetches an issuer's keys again for unknown keys at most once in 30 seconds", async () => {
    const unknown = await sharedKey("ES256", "unknown");
    await post();
    const fetchedAfter = async (milliseconds: number) => {
      passTo(milliseconds);
      for (let times = 0; times < 3; times += 1) await expectError(post(unknown), unknownKey);
      return (await issuer.fetches()).keys;
    };
    expect(await fetchedAfter(SECOND)).toBe(1);
    expect(await fetchedAfter(29 * SECOND)).toBe(1);
    expect(await fetchedAfter(31 * SECOND)).toBe(2);
    expect(await fetchedAfter(60 * SECOND)).toBe(2);
    expect(await fetchedAfter(62 * SECOND)).toBe(3);
    expect((await post()).status).toBe(200);
  });

  it("does not fetch an issuer's keys again for an unknown key right after the first fetch", async () => {
    await expectError(post(await sharedKey("ES256", "unknown")), unknownKey);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("fetches an issuer's keys again once for concurrent requests with a new key, and grants them all", async () => {
    const next = await sharedKey("ES256");
    await post();
    const { issuer: address, jwksUri } = issuer;
    await issuer.publish("discovery", { delay_ms: 200, body: JSON.stringify({ issuer: address, jwks_uri: jwksUri }) });
    await issuer.publishKeys(...issuer.keys, next);
    passTo(31 * SECOND);
    expect((await postTimes(10, next)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await issuer.fetches()).toEqual({ discovery: 2, keys: 2 });
  });

  it("accepts a key that its issuer publishes beside keys of unknown types", async () => {
    const keys = [{ kty: "FUTURE", kid: "x" }, { kty: "oct", kid: "y", k: "c2VjcmV0" }, issuer.keys[0]?.jwk];
    await issuer.publish("keys", { body: JSON.stringify({ keys, more: true }) });
    expect((await post()).status).toBe(200);
  });

  it("rejects every JWT when the key set is empty", async () => {
    await issuer.publishKeys();
    await expectError(post(), unknownKey);
  });
});

describe("an issuer that goes down", () => {
  const goDown = () => issuer.publish("discovery", { status: 503 });

  it("verifies JWTs with cached keys while the issuer is down, for up to an hour", async () => {
    expect((await post()).status).toBe(200);
    await goDown();
    for (const minutes of [11, 30, 59]) {
      passTo(minutes * MINUTE);
      expect((await post()).status).toBe(200);
    }
    expect((await issuer.fetches()).discovery).toBe(4);

    passTo(61 * MINUTE);
    await expectError(post(), down());
    expect((await worker.post("ada", bearer(API_KEY))).status).not.toBe(503);
  });

  it("verifies no JWT with cached keys once the issuer has been down for an hour", async () => {
    await post();
    await goDown();
    passTo(59 * MINUTE + 50 * SECOND);
    expect((await post()).status).toBe(200);
    passTo(60 * MINUTE + 5 * SECOND);
    await expectError(post(), down());
    passTo(61 * MINUTE);
    await expectError(post(), down());
    await expectError(post(), down());
  });

  it("asks an issuer that is down at most every 30 seconds while its cached keys are used", async () => {
    await post();
    await goDown();
    passTo(11 * MINUTE);
    for (let times = 0; times < 5; times += 1) expect((await post()).status).toBe(200);
    expect((await issuer.fetches()).discovery).toBe(2);
    passTo(11 * MINUTE + 31 * SECOND);
    await post();
    expect((await issuer.fetches()).discovery).toBe(3);
  });

  it("refuses JWTs with an unknown key and accepts those with a cached one while the issuer is down", async () => {
    await post();
    await goDown();
    passTo(31 * SECOND);
    await expectError(post(await sharedKey("ES256")), down());
    expect((await post()).status).toBe(200);
  });

  it("asks an issuer that is down for its keys at most once a second when none are cached", async () => {
    await goDown();
    passTo(0);
    await expectError(post(), down());
    await issuer.recover();
    passTo(999);
    await expectError(post(), down());
    expect((await issuer.fetches()).discovery).toBe(1);
    passTo(SECOND);
    expect((await post()).status).toBe(200);
  });

  it("waits a second after a failed fetch of an issuer's keys, however long that fetch took", async () => {
    passTo(0);
    await issuer.publish("discovery", { delay_ms: 300, status: 503 });
    const failing = post();
    await vi.waitFor(async () => expect((await issuer.fetches()).discovery).toBe(1), { timeout: 10_000 });
    passTo(4 * SECOND);
    await expectError(failing, down());
    await issuer.recover();
    await expectError(post(), down());
    expect((await issuer.fetches()).discovery).toBe(1);
    passTo(5 * SECOND);
    expect((await post()).status).toBe(200);
  });

  it("asks an issuer that is down once for concurrent JWTs, and grants none a token", async () => {
    await issuer.publish("discovery", { delay_ms: 50, status: 503 });
    const responses = await postTimes(10);
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 503));
    expect((await issuer.fetches()).discovery).toBe(1);
  });
});
