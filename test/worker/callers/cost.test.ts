import { describe, expect, it } from "vitest";
import { API_KEY, bearer, sha256 } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { createTestIssuer } from "../../support/issuer.ts";
import { fromAddress, limiterOf } from "../../support/rate-limiter.ts";
import { json, startWorker, type TestWorker } from "../../support/worker.ts";

const script = { name: "script", key_sha256: sha256(API_KEY) };
const users = ["ada", "bob", "cai", "dev", "eve"];

/** The statuses of one request for each user, one after the other. */
async function statusesFor(worker: TestWorker, init: RequestInit): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const user of users) statuses.push((await worker.post(user, init)).status);
  return statuses;
}

describe("a stolen API key", () => {
  it("issues a stolen API key a new token for each user it names, which neither shared limit bounds", async () => {
    const app = await createTestApp();
    const limits = { RATE_LIMITER: limiterOf(1), EXCHANGE_LIMITER: limiterOf(1) };
    const worker = await startWorker({ ...app.settings, ...limits, CALLERS: [script] });
    expect(await statusesFor(worker, bearer(API_KEY))).toEqual([200, 200, 200, 200, 200]);
    expect(await app.exchanges()).toHaveLength(5);
  });

  it("issues a stolen API key one new token at most for each request that its caller's limiter counts", async () => {
    const app = await createTestApp();
    const settings = { CALLERS: [{ ...script, limiter: "SCRIPT_LIMITER" }], SCRIPT_LIMITER: limiterOf(3) };
    const worker = await startWorker({ ...app.settings, ...settings });
    expect(await statusesFor(worker, bearer(API_KEY, json({ duration_seconds: 60 })))).toEqual([
      200, 200, 200, 429, 429,
    ]);
    expect(await app.exchanges()).toHaveLength(3);
    expect((await worker.post("owner", bearer(API_KEY))).status).toBe(429);
  });
});

describe("a flood", () => {
  it("limits a flood of ever new users by its network's requests, not by exchanges", async () => {
    const app = await createTestApp();
    const limits = { RATE_LIMITER: limiterOf(3), EXCHANGE_LIMITER: limiterOf(1) };
    const worker = await startWorker({ ...app.settings, ...limits });
    expect(await statusesFor(worker, fromAddress("203.0.113.7"))).toEqual([200, 200, 200, 429, 429]);
    expect(await app.exchanges()).toHaveLength(3);
    expect((await worker.post("eve", fromAddress("203.0.113.8"))).status).toBe(200);
  });

  it("verifies each JWT of a flood of wrong ones before it counts it, and sends nothing to Coze", async () => {
    const app = await createTestApp();
    const issuer = await createTestIssuer();
    const web = { name: "web", issuer: issuer.issuer, audience: "api" };
    const worker = await startWorker({ ...app.settings, CALLERS: [web], RATE_LIMITER: limiterOf(0) });
    const wrong = bearer(await issuer.sign({ aud: "elsewhere", sub: "ada" }));
    expect((await worker.post(undefined, wrong)).status).toBe(429);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
    expect(await app.exchanges()).toEqual([]);
  });
});
