import { afterAll, beforeAll, expect, it } from "vitest";
import type { Coze } from "../../tools/emulator/client.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";
import { buildScript, startCozeApp } from "../support/deployed-worker.ts";

const USERS = 40;
const USERS_PER_WAVE = 10;
/** Each user alone would make three, so 120 in all. */
const MAX_ATTEMPTS = 30;

const resources = new AsyncDisposableStack();
let coze: Coze;
let worker: Workerd;

/** The Worker as deployed, on raw workerd, where attempts that are under way at the same time have contexts of their own. */
beforeAll(async () => {
  const script = await buildScript(resources);
  const app = await startCozeApp(resources);
  coze = app.coze;
  worker = resources.adopt(await startWorkerd({ script, vars: app.settings }), (started) => started.close());
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
