import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, invalidClient, sha256, unavailable } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { createTestIssuer, sharedKey, type TestIssuer } from "../../support/issuer.ts";
import { membersOf, startWorker, type TestWorker } from "../../support/worker.ts";

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
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Puts the clock so far after the beginning of the test. */
function passTo(milliseconds: number): void {
  vi.spyOn(Date, "now").mockReturnValue(start + milliseconds);
}

/** Asks with a fresh JWT of a user, signed with a key of the issuer. */
async function ask(key = issuer.keys[0], userId = "ada"): Promise<Response> {
  return worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: userId }, {}, key)));
}

/** Asks so many times at once, each time with a JWT signed with the key. */
function askTimes(count: number, key = issuer.keys[0]): Promise<Response[]> {
  return Promise.all(Array.from({ length: count }, () => ask(key)));
}

async function expectError(answer: Promise<Response>, { status, error, description }: ReturnType<typeof unavailable>) {
  const response = await answer;
  expect(await membersOf(response)).toMatchObject({ error, error_description: expect.stringContaining(description) });
  expect(response.status).toBe(status);
}

const down = () => unavailable(`The keys of ${issuer.issuer} could not be fetched. Try again.`);
const unknownKey = invalidClient("signed with a key that the issuer does not have");

describe("the keys of an issuer", () => {
  it("are fetched once for who asks first and for who asks in the meantime", async () => {
    const { issuer: address, jwksUri } = issuer;
    await issuer.publish("discovery", { delay_ms: 300, body: JSON.stringify({ issuer: address, jwks_uri: jwksUri }) });
    const first = ask();
    await vi.waitFor(async () => expect((await issuer.fetches()).discovery).toBe(1));
    expect((await ask(undefined, "bob")).status).toBe(200);
    expect((await first).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("are fetched once for ten concurrent first requests, and all ten are served", async () => {
    expect((await askTimes(10)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("are fetched once for all callers of the issuer, and without discovery from jwks_uri", async () => {
    const caller = { issuer: issuer.issuer, jwks_uri: issuer.jwksUri, audience: "api" };
    const callers = [
      { ...caller, name: "admins", claims: { role: "admin" } },
      { ...caller, name: "web" },
    ];
    worker = await startWorker({ ...(await createTestApp()).settings, CALLERS: callers });
    expect((await ask()).status).toBe(200);
    expect((await ask(undefined, "bob")).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 0, keys: 1 });
  });

  it("are not fetched for keys, for nothing and for JWTs of others", async () => {
    const other = await createTestIssuer();
    await worker.post("ada", bearer(API_KEY));
    await worker.post("ada");
    await worker.post("ada", bearer(await other.sign({ aud: "api", sub: "ada" })));
    expect(await issuer.fetches()).toEqual({ discovery: 0, keys: 0 });
  });

  it("are remembered for ten minutes, and then fetched anew", async () => {
    await ask();
    passTo(9 * MINUTE);
    expect((await ask()).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });

    passTo(10 * MINUTE + SECOND);
    const answers = await askTimes(10);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await issuer.fetches()).toEqual({ discovery: 2, keys: 2 });
  });

  it("are no longer accepted once the issuer has withdrawn them, ten minutes later", async () => {
    await ask();
    await issuer.publishKeys(await sharedKey("ES256"));
    passTo(9 * MINUTE);
    expect((await ask()).status).toBe(200);
    passTo(11 * MINUTE);
    await expectError(ask(), unknownKey);
  });

  it("may be rotated: an unknown one makes them be fetched anew", async () => {
    const next = await sharedKey("ES256");
    await ask();
    await issuer.publishKeys(...issuer.keys, next);
    passTo(31 * SECOND);
    expect((await ask(next)).status).toBe(200);
    expect((await ask()).status).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 2, keys: 2 });
  });

  it("are fetched anew for unknown ones at most once in 30 seconds", async () => {
    const unknown = await sharedKey("ES256", "unknown");
    await ask();
    const fetchedAfter = async (milliseconds: number) => {
      passTo(milliseconds);
      for (let times = 0; times < 3; times += 1) await expectError(ask(unknown), unknownKey);
      return (await issuer.fetches()).keys;
    };
    expect(await fetchedAfter(SECOND)).toBe(1);
    expect(await fetchedAfter(29 * SECOND)).toBe(1);
    expect(await fetchedAfter(31 * SECOND)).toBe(2);
    expect(await fetchedAfter(60 * SECOND)).toBe(2);
    expect(await fetchedAfter(62 * SECOND)).toBe(3);
    expect((await ask()).status).toBe(200);
  });

  it("are not fetched a second time for an unknown key right after the first fetch", async () => {
    await expectError(ask(await sharedKey("ES256", "unknown")), unknownKey);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("are fetched anew once for concurrent requests with a new key, and all of them are served", async () => {
    const next = await sharedKey("ES256");
    await ask();
    const { issuer: address, jwksUri } = issuer;
    await issuer.publish("discovery", { delay_ms: 200, body: JSON.stringify({ issuer: address, jwks_uri: jwksUri }) });
    await issuer.publishKeys(...issuer.keys, next);
    passTo(31 * SECOND);
    expect((await askTimes(10, next)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await issuer.fetches()).toEqual({ discovery: 2, keys: 2 });
  });

  it("may stand beside keys of kinds that nobody knows", async () => {
    const keys = [{ kty: "FUTURE", kid: "x" }, { kty: "oct", kid: "y", k: "c2VjcmV0" }, issuer.keys[0]?.jwk];
    await issuer.publish("keys", { body: JSON.stringify({ keys, more: true }) });
    expect((await ask()).status).toBe(200);
  });

  it("may be none, and then nobody's JWT is right", async () => {
    await issuer.publishKeys();
    await expectError(ask(), unknownKey);
  });
});

describe("an issuer that goes down", () => {
  const goDown = () => issuer.publish("discovery", { status: 503 });

  it("is served for by the keys of before, for up to an hour", async () => {
    expect((await ask()).status).toBe(200);
    await goDown();
    for (const minutes of [11, 30, 59]) {
      passTo(minutes * MINUTE);
      expect((await ask()).status).toBe(200);
    }
    expect((await issuer.fetches()).discovery).toBe(4);

    passTo(61 * MINUTE);
    await expectError(ask(), down());
    expect((await worker.post("ada", bearer(API_KEY))).status).not.toBe(503);
  });

  it("is served for by its keys of before no longer than that, whoever asks next", async () => {
    await ask();
    await goDown();
    passTo(59 * MINUTE + 50 * SECOND);
    expect((await ask()).status).toBe(200);
    passTo(60 * MINUTE + 5 * SECOND);
    await expectError(ask(), down());
    passTo(61 * MINUTE);
    await expectError(ask(), down());
    await expectError(ask(), down());
  });

  it("is asked at most every 30 seconds while its keys of before serve", async () => {
    await ask();
    await goDown();
    passTo(11 * MINUTE);
    for (let times = 0; times < 5; times += 1) expect((await ask()).status).toBe(200);
    expect((await issuer.fetches()).discovery).toBe(2);
    passTo(11 * MINUTE + 31 * SECOND);
    await ask();
    expect((await issuer.fetches()).discovery).toBe(3);
  });

  it("cannot say whether an unknown key is its own, and its known ones go on", async () => {
    await ask();
    await goDown();
    passTo(31 * SECOND);
    await expectError(ask(await sharedKey("ES256")), down());
    expect((await ask()).status).toBe(200);
  });

  it("is asked again a second later at the earliest", async () => {
    await goDown();
    passTo(0);
    await expectError(ask(), down());
    await issuer.recover();
    passTo(999);
    await expectError(ask(), down());
    expect((await issuer.fetches()).discovery).toBe(1);
    passTo(SECOND);
    expect((await ask()).status).toBe(200);
  });

  it("is asked again a second after a fetch has failed, however long that fetch took", async () => {
    passTo(0);
    await issuer.publish("discovery", { delay_ms: 300, status: 503 });
    const failing = ask();
    await vi.waitFor(async () => expect((await issuer.fetches()).discovery).toBe(1));
    passTo(4 * SECOND);
    await expectError(failing, down());
    await issuer.recover();
    await expectError(ask(), down());
    expect((await issuer.fetches()).discovery).toBe(1);
    passTo(5 * SECOND);
    expect((await ask()).status).toBe(200);
  });

  it("makes all wait who ask at the same time, by one question", async () => {
    await issuer.publish("discovery", { delay_ms: 50, status: 503 });
    const answers = await askTimes(10);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect((await issuer.fetches()).discovery).toBe(1);
  });
});
