import { beforeAll, describe, expect, it, vi } from "vitest";
import { bearer } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, documentOf, type TestIssuer } from "../../support/issuer.ts";
import { json, membersOf, startWorker, type TestWorker } from "../../support/worker.ts";

/** Every request has its response within so many milliseconds, whatever hangs. */
const MAX_RESPONSE_MS = 12_000;
/** The whole run shares two processors. */
const MARGIN_MS = 1500;

const hanging = () => new Promise<never>(() => {});
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function timed<Result>(work: Promise<Result>): Promise<{ readonly result: Result; readonly tookMs: number }> {
  const startedAt = Date.now();
  return { result: await work, tookMs: Date.now() - startedAt };
}

/** A body that begins, and goes on only after a time. */
function slowBody(text: string, delayMs: number): ReadableStream {
  const chunks = [text.slice(0, 1), text.slice(1)];
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

/** Isolates cannot be started at the same time; once they run, nobody waits for another. */
async function start(settingsOf: (app: TestApp) => object): Promise<Case> {
  const app = await createTestApp();
  return { app, worker: await startWorker({ ...app.settings, ...settingsOf(app) }) };
}

describe.concurrent("a request", () => {
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

  it("is answered in time where everything is slow and Coze hangs", async () => {
    const { app, worker } = allSlow;
    await app.arm({ hang: true, times: null });
    const discovery = documentOf({ issuer: issuer.issuer, jwks_uri: issuer.jwksUri });
    await issuer.publish("discovery", { ...discovery, delay_ms: 4500 });
    const credential = bearer(await issuer.sign({ aud: "api", sub: "ada" }), json({}));
    const request = worker.answer("/", { ...credential, method: "POST", body: slowBody("{}", 1500) });
    const { result, tookMs } = await timed(request);
    expect(result.status).toBe(504);
    expect(await membersOf(result)).toMatchObject({ error: "upstream_timeout" });
    expect(tookMs).toBeLessThan(MAX_RESPONSE_MS + MARGIN_MS);
    expect(tookMs).toBeGreaterThan(MAX_RESPONSE_MS - MARGIN_MS);
  }, 30_000);

  it("whose body does not arrive is refused after five seconds", async () => {
    const { app, worker } = plain;
    const { result, tookMs } = await timed(worker.post("ada", { ...json({}), body: slowBody("{}", 60_000) }));
    expect(result.status).toBe(400);
    expect(await membersOf(result)).toMatchObject({ error_description: "The body did not arrive in time." });
    expect(tookMs).toBeLessThan(5000 + MARGIN_MS);
    expect(await app.exchanges()).toEqual([]);
  }, 30_000);

  it("is told which secret the Secrets Store does not give, after three seconds", async () => {
    const { result, tookMs } = await timed(withoutSecret.worker.post("ada"));
    expect(result.status).toBe(500);
    expect(await membersOf(result)).toMatchObject({
      problems: [{ setting: "PRIVATE_KEY", problem: expect.stringContaining("Secrets Store") }],
    });
    expect(tookMs).toBeLessThan(3000 + MARGIN_MS);
  }, 30_000);

  it("whose token KV neither reads nor writes ends with all that goes on behind it", async () => {
    const warnings = vi.spyOn(console, "warn");
    // `post` waits for the work behind the response too.
    const { result, tookMs } = await timed(withoutKv.worker.post("ada"));
    expect(result.status).toBe(200);
    expect(tookMs).toBeLessThan(6000 + MARGIN_MS);
    expect(warnings.mock.calls.join("\n")).toContain("cache_write_failed");
  }, 30_000);
});
