import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deriveCacheSecrets, seal } from "../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import type { AccessToken } from "../../src/core/token/token.ts";
import { type KvServer, startKvServer } from "../../tools/workerd/kv-server.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";
import { buildScript, type CozeApp, startCozeApp } from "../support/deployed-worker.ts";
import { parsedValue } from "../support/parsed-value.ts";

const resources = new AsyncDisposableStack();
let script: string;
/** What each test has of its own. */
let running: AsyncDisposableStack;
let app: CozeApp;
let kv: KvServer;
let worker: Workerd;

beforeAll(async () => {
  script = await buildScript(resources);
});

afterAll(() => resources.disposeAsync());

/** The Worker as deployed, on raw workerd: here each request has a context of its own, which ends with its client. */
beforeEach(async () => {
  running = new AsyncDisposableStack();
  app = await startCozeApp(running);
  kv = running.adopt(await startKvServer(), (server) => server.close());
  worker = await startWorker();
  running.defer(() => worker.close());
});

afterEach(() => running.disposeAsync());

function startWorker(vars: Readonly<Record<string, unknown>> = {}): Promise<Workerd> {
  return startWorkerd({
    script,
    vars: { ...app.settings, ...vars },
    kv: { TOKEN_CACHE: kv.address },
    edge: true,
  });
}

async function exchangeCount(): Promise<number> {
  return (await app.coze.exchanges()).length;
}

type TokenResponse = {
  readonly status: number;
  readonly cacheStatus: string | null;
  readonly body: Record<string, unknown>;
};

async function post(headers: Readonly<Record<string, string>> = {}): Promise<TokenResponse> {
  const response = await fetch(worker.url, { method: "POST", headers: { "X-User-ID": "ada", ...headers } });
  const body = (await response.json()) as Record<string, unknown>; // every response of the Worker is a JSON object
  return { status: response.status, cacheStatus: response.headers.get("Cache-Status"), body };
}

/** Sends a request and leaves before the response; the request's context ends with that. */
async function postAndLeave(afterMs: number): Promise<void> {
  const response = await fetch(worker.url, {
    method: "POST",
    headers: { "X-User-ID": "ada", "X-Leave-After": String(afterMs) },
  });
  expect(response.status).toBe(499);
}

const postTimes = (count: number) => Promise.all(Array.from({ length: count }, () => post()));

describe("single flight on real workerd", () => {
  it("makes one exchange for 1,000 concurrent requests for one user", async () => {
    await app.coze.arm({ delay_ms: 300 });
    const responses = await postTimes(1000);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1000);
    expect(new Set(responses.map(({ body }) => body["access_token"])).size).toBe(1);
    expect(await exchangeCount()).toBe(1);
    expect(responses.filter(({ cacheStatus }) => cacheStatus?.includes("fwd=miss; stored"))).toHaveLength(1);
  });

  it("gives the token to requests that joined an exchange whose first client has left", async () => {
    await app.coze.arm({ delay_ms: 600 });
    const first = postAndLeave(300);
    await untilExchanges(1);
    const joined = postTimes(20);
    await first;
    for (const { status } of await joined) expect(status).toBe(200);
    expect(await exchangeCount()).toBe(1);
    expect((await post()).cacheStatus).toContain("hit");
  });

  it("fills the cache when the only client has left, and breaks no later request", async () => {
    await app.coze.arm({ delay_ms: 500 });
    await postAndLeave(200);
    for (const { status } of await postTimes(5)) expect(status).toBe(200);
    expect((await post()).cacheStatus).toContain("hit");
    expect(await exchangeCount()).toBe(1);
    await expect.poll(() => kv.entries.size, { timeout: 10_000 }).toBe(1);
  });

  it("completes a shared exchange when clients of requests that joined leave", async () => {
    await app.coze.arm({ delay_ms: 600 });
    const first = post();
    await untilExchanges(1);
    await Promise.all([postAndLeave(100), postAndLeave(200)]);
    expect((await first).status).toBe(200);
    expect(await exchangeCount()).toBe(1);
  });

  it("serves an ageing token at once, and renews it after the response", async () => {
    await post();
    await expect.poll(() => kv.entries.size, { timeout: 10_000 }).toBe(1);
    const ageing = await putAgeing();
    await worker.close();
    worker = await startWorker();
    await app.coze.arm({ delay_ms: 500 });

    expect((await post()).body).toMatchObject({ access_token: ageing.accessToken });
    await untilExchanges(2);
    await expect.poll(async () => (await post()).body["access_token"], { timeout: 5000 }).not.toBe(ageing.accessToken);
    expect(await exchangeCount()).toBe(2);
  });

  it("gives requests that joined the error of the shared exchange, and starts again for the next", async () => {
    await app.coze.arm({ delay_ms: 300, response: { status: 403, body: { error_code: "access_deny" } } });
    const responses = await postTimes(50);
    for (const { status, body } of responses) {
      expect(status).toBe(502);
      expect(body).toMatchObject({ error: "upstream_rejected" });
    }
    expect(await exchangeCount()).toBe(1);
    expect((await post()).status).toBe(200);
  });

  it("responds to all concurrent requests within the budget while Coze hangs, and recovers", async () => {
    await worker.close();
    worker = await startWorker({ UPSTREAM_TIMEOUT_MS: 300 });
    await app.coze.arm({ hang: true, times: null });
    for (const { status, body } of await postTimes(100)) {
      expect(status).toBe(504);
      expect(body).toMatchObject({ error: "upstream_timeout" });
    }
    expect(await exchangeCount()).toBe(3);

    await app.coze.disarm();
    expect((await post()).status).toBe(200);
  });

  it("makes one exchange for all concurrent requests while KV fails or hangs", async () => {
    for (const trouble of ["failing", "hanging"] as const) {
      kv.setTrouble(trouble);
      await worker.close();
      worker = await startWorker();
      const before = await exchangeCount();
      for (const { status } of await postTimes(50)) expect(status).toBe(200);
      expect(await exchangeCount()).toBe(before + 1);
    }
  });

  it("reads KV once for many concurrent requests", async () => {
    await post();
    await expect.poll(() => kv.entries.size, { timeout: 10_000 }).toBe(1);
    await worker.close();
    worker = await startWorker();
    const before = kv.reads();
    for (const { cacheStatus } of await postTimes(100)) expect(cacheStatus).toContain("hit");
    expect(kv.reads() - before).toBe(1);
    expect(await exchangeCount()).toBe(1);
  });
});

async function untilExchanges(count: number): Promise<void> {
  await expect.poll(exchangeCount, { timeout: 10_000 }).toBe(count);
}

/** Replaces the token in KV with one that has lived most of its life, sealed as the Worker does. */
async function putAgeing(): Promise<AccessToken> {
  const key = parsedValue(await importPrivateKey(app.settings.PRIVATE_KEY));
  const [name = ""] = kv.entries.keys();
  const now = Math.floor(Date.now() / 1000);
  const token = {
    accessToken: "czs_ageing",
    issuedAt: now - 750,
    expiresAt: now + 150,
    digests: { token: "1", user: "2" },
  };
  const value = JSON.stringify([token.accessToken, token.issuedAt, token.expiresAt, "1", "2"]);
  const sealed = await seal(await deriveCacheSecrets(key.derivationKey), name, value);
  await fetch(`http://${kv.address}/${encodeURIComponent(name)}?expiration=${token.expiresAt}`, {
    method: "PUT",
    body: sealed,
  });
  return token;
}
