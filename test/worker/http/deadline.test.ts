import { beforeAll, describe, expect, it, vi } from "vitest";
import { bearer } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, documentOf, type TestIssuer } from "../../support/issuer.ts";
import { json, propertiesOf, startWorker, type TestWorker } from "../../support/worker.ts";

/** Every request gets its response within this time, whatever hangs. */
const MAX_RESPONSE_MS = 12_000;
/** All tests share two CPU cores. */
const MARGIN_MS = 1500;

const hanging = () => new Promise<never>(() => {});
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function timed<Result>(work: Promise<Result>): Promise<{ readonly result: Result; readonly tookMs: number }> {
  const startedAt = Date.now();
  return { result: await work, tookMs: Date.now() - startedAt };
}

/** A body that sends its first character at once, and the rest after a delay. */
function slowBody(body: string, delayMs: number): ReadableStream {
  const chunks = [body.slice(0, 1), body.slice(1)];
  return new ReadableStream({
    async pull(controller) {
      if (chunks.length === 1) await sleep(delayMs);
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(chunk));
    },
  });
}

type Case = { readonly app: TestApp; readonly worker: TestWorker };

/** Isolates are started one after another; once started, they run concurrently. */
async function start(settingsFor: (app: TestApp) => object): Promise<Case> {
  const app = await createTestApp();
  return { app, worker: await startWorker({ ...app.settings, ...settingsFor(app) }) };
}

describe.concurrent("deadlines", () => {
  let issuer: TestIssuer;
  let allSlow: Case;
  let plain: Case;
  let withoutSecret: Case;
  let withoutKv: Case;

  beforeAll(async () => {
    issuer = await createTestIssuer();
    allSlow = await start((app) => ({
      PRIVATE_KEY: { get: () => sleep(2500).then(() => app.settings["PRIVATE_KEY"]) },
      CALLERS: [{ name: "web", issuer: issuer.issuer, audience: "api" }],
      RATE_LIMITER: { limit: hanging },
      TOKEN_CACHE: { get: hanging, put: hanging },
    }));
    plain = await start(() => ({}));
    withoutSecret = await start(() => ({ PRIVATE_KEY: { get: hanging } }));
    withoutKv = await start(() => ({ TOKEN_CACHE: { get: hanging, put: hanging } }));
  });

  it("responds in time when everything is slow and Coze hangs", async () => {
    const { app, worker } = allSlow;
    await app.arm({ hang: true, times: null });
    const discovery = documentOf({ issuer: issuer.issuer, jwks_uri: issuer.jwksUri });
    await issuer.publish("discovery", { ...discovery, delay_ms: 4500 });
    const credential = bearer(await issuer.sign({ aud: "api", sub: "ada" }), json({}));
    const request = worker.respond("/", { ...credential, method: "POST", body: slowBody("{}", 1500) });
    const { result, tookMs } = await timed(request);
    expect(result.status).toBe(504);
    expect(await propertiesOf(result)).toMatchObject({ error: "upstream_timeout" });
    expect(tookMs).toBeLessThan(MAX_RESPONSE_MS + MARGIN_MS);
    expect(tookMs).toBeGreaterThan(MAX_RESPONSE_MS - MARGIN_MS);
  }, 30_000);

  it("refuses a body that does not arrive within five seconds", async () => {
    const { app, worker } = plain;
    const { result, tookMs } = await timed(worker.post("ada", { ...json({}), body: slowBody("{}", 60_000) }));
    expect(result.status).toBe(400);
    expect(await propertiesOf(result)).toMatchObject({ error_description: "The body did not arrive in time." });
    expect(tookMs).toBeLessThan(5000 + MARGIN_MS);
    expect(await app.exchanges()).toEqual([]);
  }, 30_000);

  it("names the secret that the Secrets Store does not return within three seconds", async () => {
    const { result, tookMs } = await timed(withoutSecret.worker.post("ada"));
    expect(result.status).toBe(500);
    expect(await propertiesOf(result)).toMatchObject({
      problems: [{ setting: "PRIVATE_KEY", problem: expect.stringContaining("Secrets Store") }],
    });
    expect(tookMs).toBeLessThan(3000 + MARGIN_MS);
  }, 30_000);

  it("ends the work in waitUntil when KV hangs on reads and writes", async () => {
    const warnings = vi.spyOn(console, "warn");
    // `post` also waits for the work in `waitUntil`.
    const { result, tookMs } = await timed(withoutKv.worker.post("ada"));
    expect(result.status).toBe(200);
    expect(tookMs).toBeLessThan(6000 + MARGIN_MS);
    expect(warnings.mock.calls.join("\n")).toContain("cache_write_failed");
  }, 30_000);
});
