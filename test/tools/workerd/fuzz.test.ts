import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { createCoze } from "../../../tools/soak/coze.ts";
import { logFailures } from "../../../tools/soak/log-check.ts";
import { startKvServer } from "../../../tools/workerd/kv-server.ts";
import { buildWorker } from "../../../tools/workerd/worker-bundle.ts";
import { startWorkerd, type Workerd } from "../../../tools/workerd/workerd.ts";
import { type Answerer, judgeOutcome } from "./fuzz/answer-judge.ts";
import { ALLOWED_ORIGINS, API_KEY, type Door } from "./fuzz/door.ts";
import { fetchRequest, sendByFetch } from "./fuzz/fetch-request.ts";
import { fuzzRequest } from "./fuzz/fuzz-request.ts";
import type { JudgedRequest } from "./fuzz/judged-request.ts";
import { type RawOutcome, sendRaw } from "./fuzz/raw-http.ts";

const SEED = 20_261_121;
const RAW_REQUESTS = 2000;
const FETCH_REQUESTS = 300;
/** On a machine that is too slow for all of them; those that were made still count. */
const TIME_LIMIT_MS = 10_000;

const CLIENT_ID = "1127";
const KID = "kid";

const resources = new AsyncDisposableStack();
let workers: Readonly<Record<Door["name"], Workerd>>;

/** The Worker as deployed, on raw workerd, which lets much through that Cloudflare's edge would stop. */
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-fuzz-"));
  resources.defer(() => rm(folder, { recursive: true }));
  const { script } = await buildWorker(folder);
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const emulator = resources.adopt(await startEmulator(), (server) => server.close());
  const kv = resources.adopt(await startKvServer(), (server) => server.close());
  const coze = createCoze(emulator.url);
  await coze.registerApp(CLIENT_ID, [KID], publicKey);

  const start = async (vars: Readonly<Record<string, unknown>>) => {
    const settings = { CLIENT_ID, KID, PRIVATE_KEY: privateKey, TOKEN_ENDPOINT: coze.tokenEndpoint, ...vars };
    const workerd = await startWorkerd({ script, vars: settings, kv: { TOKEN_CACHE: kv.address } });
    return resources.adopt(workerd, (started) => started.close());
  };
  const caller = { name: "script", key_sha256: createHash("sha256").update(API_KEY).digest("hex") };
  workers = { open: await start({}), closed: await start({ ALLOWED_ORIGINS, CALLERS: [caller] }) };
});

afterAll(() => resources.disposeAsync());

describe.each(["open", "closed"] as const)("a Worker that is %s", (name) => {
  it(`answers properly whatever bytes are sent (seed ${SEED})`, async () => {
    const answerers = await fuzz(RAW_REQUESTS, fuzzRequest(doorOf(name)), doorOf(name), (request) =>
      sendRaw({ ...request, port: doorOf(name).port, isHead: request.method === "HEAD" }),
    );
    // What workerd refuses by itself must not be most of what there is.
    expect(answerers.filter((answerer) => answerer === "the Worker").length).toBeGreaterThan(answerers.length / 2);
    await expectToBeWell(name);
  });

  it(`answers properly whatever fetch sends (seed ${SEED})`, async () => {
    const answerers = await fuzz(FETCH_REQUESTS, fetchRequest(doorOf(name)), doorOf(name), (request) =>
      sendByFetch(doorOf(name), request),
    );
    expect(new Set(answerers)).toEqual(new Set(["the Worker"]));
    await expectToBeWell(name);
  });
});

/** Whatever came before, the Worker still hands out tokens, and has logged neither a bug nor a secret. */
async function expectToBeWell(name: Door["name"]): Promise<void> {
  const headers = { Authorization: `Bearer ${API_KEY}`, "X-User-ID": "ada" };
  const response = await fetch(workers[name].url, { method: "POST", headers });
  expect(await response.json()).toMatchObject({ access_token: expect.stringMatching(/^czs_/) });
  expect(logFailures(workers[name].logLines())).toEqual([]);
}

function doorOf(name: Door["name"]): Door {
  return { name, port: Number(new URL(workers[name].url).port) };
}

/** Sends so many requests, stops at the first that is not answered as it should be, and tells who answered the others. */
async function fuzz<Request extends JudgedRequest>(
  numRuns: number,
  requests: fc.Arbitrary<Request>,
  door: Door,
  send: (request: Request) => Promise<RawOutcome>,
): Promise<readonly Answerer[]> {
  const answerers: Answerer[] = [];
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const { answerer, faults } = judgeOutcome(request, door, await send(request));
      expect(faults).toEqual([]);
      answerers.push(answerer);
    }),
    { seed: SEED, numRuns, interruptAfterTimeLimit: TIME_LIMIT_MS },
  );
  return answerers;
}
