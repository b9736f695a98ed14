import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deriveCacheSecrets, seal } from "../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { isProblem } from "../../src/core/issue.ts";
import type { AccessToken } from "../../src/core/token/token.ts";
import { type Coze, createCoze } from "../../tools/emulator/client.ts";
import { startEmulator } from "../../tools/emulator/server.ts";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { type KvServer, startKvServer } from "../../tools/workerd/kv-server.ts";
import { buildWorker } from "../../tools/workerd/worker-bundle.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";

const CLIENT_ID = "1127";
const KID = "kid";
const keyPair = createKeyPair();

let folder: string;
let script: string;
let emulator: Awaited<ReturnType<typeof startEmulator>>;
let coze: Coze;
let kv: KvServer;
let worker: Workerd;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coze-token-worker-flight-"));
  ({ script } = await buildWorker(folder));
});

afterAll(() => rm(folder, { recursive: true }));

/** The Worker as deployed, on raw workerd: here each request has a context of its own, and dies with its client. */
beforeEach(async () => {
  emulator = await startEmulator();
  kv = await startKvServer();
  coze = createCoze(emulator.url);
  await coze.registerApp(CLIENT_ID, [KID], keyPair.publicKey);
  worker = await startWorker();
});

afterEach(async () => {
  await worker.close();
  await kv.close();
  await emulator.close();
});

function startWorker(vars: Readonly<Record<string, unknown>> = {}): Promise<Workerd> {
  return startWorkerd({
    script,
    vars: {
      CLIENT_ID,
      KID,
      PRIVATE_KEY: keyPair.privateKey,
      TOKEN_ENDPOINT: coze.tokenEndpoint,
      ...vars,
    },
    kv: { TOKEN_CACHE: kv.address },
    edge: true,
  });
}

async function exchangeCount(): Promise<number> {
  return (await coze.exchanges()).length;
}

type Answer = {
  readonly status: number;
  readonly cacheStatus: string | null;
  readonly members: Record<string, unknown>;
};

async function ask(headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await fetch(worker.url, { method: "POST", headers: { "X-User-ID": "ada", ...headers } });
  const members = (await response.json()) as Record<string, unknown>; // every answer of the Worker is a JSON object
  return { status: response.status, cacheStatus: response.headers.get("Cache-Status"), members };
}

/** Asks, and leaves before the answer; the request's context ends with that. */
async function askAndLeave(afterMs: number): Promise<void> {
  const response = await fetch(worker.url, {
    method: "POST",
    headers: { "X-User-ID": "ada", "X-Leave-After": String(afterMs) },
  });
  expect(response.status).toBe(499);
}

const askTimes = (count: number) => Promise.all(Array.from({ length: count }, () => ask()));

describe("on real workerd", () => {
  it("1,000 concurrent requests for one user make one exchange", async () => {
    await coze.arm({ delay_ms: 300 });
    const answers = await askTimes(1000);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1000);
    expect(new Set(answers.map(({ members }) => members["access_token"])).size).toBe(1);
    expect(await exchangeCount()).toBe(1);
    expect(answers.filter(({ cacheStatus }) => cacheStatus?.includes("fwd=miss; stored"))).toHaveLength(1);
  });

  it("followers get the token of a leader whose client has left", async () => {
    await coze.arm({ delay_ms: 600 });
    const leader = askAndLeave(300);
    await untilExchanges(1);
    const followers = askTimes(20);
    await leader;
    for (const { status } of await followers) expect(status).toBe(200);
    expect(await exchangeCount()).toBe(1);
    expect((await ask()).cacheStatus).toContain("hit");
  });

  it("a leader who leaves with nobody behind still fills the cache, and leaves nothing that breaks later requests", async () => {
    await coze.arm({ delay_ms: 500 });
    await askAndLeave(200);
    for (const { status } of await askTimes(5)) expect(status).toBe(200);
    expect((await ask()).cacheStatus).toContain("hit");
    expect(await exchangeCount()).toBe(1);
    await expect.poll(() => kv.entries.size).toBe(1);
  });

  it("followers who leave take nothing with them", async () => {
    await coze.arm({ delay_ms: 600 });
    const leader = ask();
    await untilExchanges(1);
    await Promise.all([askAndLeave(100), askAndLeave(200)]);
    expect((await leader).status).toBe(200);
    expect(await exchangeCount()).toBe(1);
  });

  it("an ageing token is served at once, and renewed after the answer has gone", async () => {
    await ask();
    await expect.poll(() => kv.entries.size).toBe(1);
    const ageing = await putAgeing();
    await worker.close();
    worker = await startWorker();
    await coze.arm({ delay_ms: 500 });

    expect((await ask()).members).toMatchObject({ access_token: ageing.accessToken });
    await untilExchanges(2);
    await expect
      .poll(async () => (await ask()).members["access_token"], { timeout: 5000 })
      .not.toBe(ageing.accessToken);
    expect(await exchangeCount()).toBe(2);
  });

  it("followers share a leader's error, and the next request starts afresh", async () => {
    await coze.arm({ delay_ms: 300, response: { status: 403, body: { error_code: "access_deny" } } });
    const answers = await askTimes(50);
    for (const { status, members } of answers) {
      expect(status).toBe(502);
      expect(members).toMatchObject({ error: "upstream_rejected" });
    }
    expect(await exchangeCount()).toBe(1);
    expect((await ask()).status).toBe(200);
  });

  it("a Coze that hangs leaves everybody answered within the budget, and nothing behind", async () => {
    await worker.close();
    worker = await startWorker({ UPSTREAM_TIMEOUT_MS: 300 });
    await coze.arm({ hang: true, times: null });
    for (const { status, members } of await askTimes(100)) {
      expect(status).toBe(504);
      expect(members).toMatchObject({ error: "upstream_timeout" });
    }
    expect(await exchangeCount()).toBe(3);

    await coze.disarm();
    expect((await ask()).status).toBe(200);
  });

  it("a KV that fails or hangs costs neither tokens nor the single flight", async () => {
    for (const trouble of ["failing", "hanging"] as const) {
      kv.setTrouble(trouble);
      await worker.close();
      worker = await startWorker();
      const before = await exchangeCount();
      for (const { status } of await askTimes(50)) expect(status).toBe(200);
      expect(await exchangeCount()).toBe(before + 1);
    }
  });

  it("an isolate reads KV once for many who ask at the same time", async () => {
    await ask();
    await expect.poll(() => kv.entries.size).toBe(1);
    await worker.close();
    worker = await startWorker();
    const before = kv.reads();
    for (const { cacheStatus } of await askTimes(100)) expect(cacheStatus).toContain("hit");
    expect(kv.reads() - before).toBe(1);
    expect(await exchangeCount()).toBe(1);
  });
});

async function untilExchanges(count: number): Promise<void> {
  await expect.poll(exchangeCount).toBe(count);
}

/** Puts a token in place of the one in KV that has lived most of its life, sealed as the Worker would have. */
async function putAgeing(): Promise<AccessToken> {
  const key = await importPrivateKey(keyPair.privateKey);
  if (isProblem(key)) throw new Error(key.problem);
  const [name = ""] = kv.entries.keys();
  const now = Math.floor(Date.now() / 1000);
  const token = {
    accessToken: "czs_ageing",
    issuedAt: now - 750,
    expiresAt: now + 150,
    digests: { token: "1", user: "2" },
  };
  const text = JSON.stringify([token.accessToken, token.issuedAt, token.expiresAt, "1", "2"]);
  const value = await seal(await deriveCacheSecrets(key.derivationKey), name, text);
  await fetch(`http://${kv.address}/${encodeURIComponent(name)}?expiration=${token.expiresAt}`, {
    method: "PUT",
    body: value,
  });
  return token;
}
