import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Coze, createCoze } from "../../tools/emulator/client.ts";
import { startEmulator } from "../../tools/emulator/server.ts";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { buildWorker } from "../../tools/workerd/worker-bundle.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";

const CLIENT_ID = "1127";
const KID = "kid";

const USERS = 40;
const USERS_PER_WAVE = 10;
/** Each user alone would make three, so 120 in all. */
const MAX_ATTEMPTS = 30;

const resources = new AsyncDisposableStack();
let coze: Coze;
let worker: Workerd;

/** The Worker as deployed, on raw workerd, where attempts that are under way at the same time have contexts of their own. */
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-circuit-"));
  resources.defer(() => rm(folder, { recursive: true }));
  const { script } = await buildWorker(folder);
  const { publicKey, privateKey } = createKeyPair();
  const emulator = resources.adopt(await startEmulator(), (server) => server.close());
  coze = createCoze(emulator.url);
  await coze.registerApp(CLIENT_ID, [KID], publicKey);
  const vars = { CLIENT_ID, KID, PRIVATE_KEY: privateKey, TOKEN_ENDPOINT: coze.tokenEndpoint };
  worker = resources.adopt(await startWorkerd({ script, vars }), (started) => started.close());
});

afterAll(() => resources.disposeAsync());

async function post(user: string) {
  const response = await fetch(worker.url, { method: "POST", headers: { "X-User-ID": user } });
  const body = (await response.json()) as Record<string, unknown>; // every response of the Worker is a JSON object
  const { status, headers } = response;
  return { status, retryAfter: headers.get("Retry-After"), cacheStatus: headers.get("Cache-Status"), body };
}

async function attemptCount(): Promise<number> {
  return (await coze.exchanges()).length;
}

it("stops requests to a failing Coze, serves cached tokens meanwhile, and resumes by itself", async () => {
  const { body: cached } = await post("cached");
  await coze.forgetExchanges();
  await coze.arm({ times: null, response: { status: 500, body: { error_code: "internal_error" } } });

  for (let wave = 0; wave < USERS / USERS_PER_WAVE; wave += 1) {
    const users = Array.from({ length: USERS_PER_WAVE }, (_, index) => `user-${wave}-${index}`);
    for (const { status, retryAfter, body } of await Promise.all(users.map(post))) {
      expect(status).toBe(503);
      expect(retryAfter).toMatch(/^[1-9]\d*$/);
      expect(body).toMatchObject({ error: "upstream_unavailable" });
    }
  }
  expect(await attemptCount()).toBeLessThanOrEqual(MAX_ATTEMPTS);

  const hit = await post("cached");
  expect(hit.status).toBe(200);
  expect(hit.body).toEqual(cached);
  expect(hit.cacheStatus).toContain("hit");

  await coze.disarm();
  await expect.poll(async () => (await post("user-0-0")).status, { timeout: 15_000, interval: 200 }).toBe(200);
  const users = Array.from({ length: USERS_PER_WAVE }, (_, index) => `user-1-${index}`);
  for (const { status } of await Promise.all(users.map(post))) expect(status).toBe(200);
  const events = worker.logLines().flatMap((line) => /"event":"(circuit_\w+)"/.exec(line)?.[1] ?? []);
  expect(events).toEqual(["circuit_opened", "circuit_closed"]);
});
