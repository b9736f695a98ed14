import { afterEach, describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, expectRefusal, sha256 } from "../support/callers.ts";
import { createTestApp } from "../support/coze.ts";
import { createTestIssuer } from "../support/issuer.ts";
import { createTestWidget, SOLVED } from "../support/turnstile.ts";
import { json, startWorker } from "../support/worker.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A rate limiter that lets so many requests of each key through, and remembers the keys. */
function limiterOf(limit: number) {
  const keys: string[] = [];
  return {
    keys,
    async limit({ key }: { readonly key: string }) {
      keys.push(key);
      return { success: keys.filter((known) => known === key).length <= limit };
    },
  };
}

const fromAddress = (address: string, init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { ...Object.fromEntries(new Headers(init.headers)), "CF-Connecting-IP": address },
});

const tooMany = { status: 429, error: "rate_limited", description: "Too many requests." };
const visitors = { name: "visitors", anonymous: true };
const script = { name: "script", key_sha256: sha256(API_KEY) };

describe("the rate limit", () => {
  it("counts by caller and user, or by address where nobody says reliably who it is", async () => {
    const app = await createTestApp();
    const issuer = await createTestIssuer();
    const limiter = limiterOf(100);
    const web = { name: "web", issuer: issuer.issuer, audience: "api" };
    const worker = await startWorker({ ...app.settings, CALLERS: [script, web, visitors], RATE_LIMITER: limiter });
    const token = await issuer.sign({ aud: "api", sub: "ada" });

    await worker.post("ada", fromAddress("203.0.113.7", bearer(API_KEY)));
    await worker.post(undefined, fromAddress("203.0.113.7", bearer(API_KEY)));
    await worker.post(undefined, fromAddress("203.0.113.7", bearer(token)));
    await worker.post("ada", fromAddress("203.0.113.7"));
    await worker.post("bob", fromAddress("203.0.113.7"));
    await worker.post(undefined, fromAddress("2001:db8::1"));
    await worker.post("ada");
    expect(limiter.keys).toEqual([
      "script ada",
      "script ",
      "web ada",
      "visitors 203.0.113.7",
      "visitors 203.0.113.7",
      "visitors 2001:db8::1",
      "visitors ",
    ]);
  });

  it("counts anyone by address in an open service", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(100);
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: limiter });
    await worker.post("ada", fromAddress("203.0.113.7", bearer("stray")));
    expect(limiter.keys).toEqual(["anyone 203.0.113.7"]);
  });

  it("refuses one user and lets the next through", async () => {
    const [app, refused] = [await createTestApp(), await createTestApp()];
    const limiter = limiterOf(1);
    const settings = { CALLERS: [script], RATE_LIMITER: limiter, ALLOWED_ORIGINS: "https://app.example.com" };
    const worker = await startWorker({ ...app.settings, ...settings });
    expect((await worker.post("ada", bearer(API_KEY))).status).toBe(200);
    expect((await worker.post("bob", bearer(API_KEY))).status).toBe(200);

    const init = { headers: { Origin: "https://app.example.com" } };
    const response = await (await startWorker({ ...refused.settings, ...settings })).post("ada", bearer(API_KEY, init));
    expect(response.headers.get("Retry-After")).toBe("10");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("https://app.example.com");
    expect(response.headers.get("Access-Control-Expose-Headers")).toContain("Retry-After");
    await expectRefusal(response, refused, tooMany);
  });

  it("holds for tokens from the cache too", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: limiterOf(1) });
    expect((await worker.post("ada")).status).toBe(200);
    expect((await worker.post("ada")).status).toBe(429);
  });

  it("comes before the body and before Turnstile, so that neither can be used to make work", async () => {
    const app = await createTestApp();
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const worker = await startWorker({
      ...app.settings,
      ...widget.settings,
      CALLERS: [{ ...visitors, turnstile: true }],
      RATE_LIMITER: limiterOf(0),
    });
    await expectRefusal(await worker.post(undefined, json({ unknown: 1 })), app, tooMany);
    await expectRefusal(
      await worker.post(undefined, { headers: { "cf-turnstile-response": "0.solved" } }),
      app,
      tooMany,
    );
    expect(await widget.received()).toEqual([]);
  });

  it("does not count who is not recognised, nor other paths", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(100);
    const worker = await startWorker({ ...app.settings, CALLERS: [script], RATE_LIMITER: limiter });
    await worker.post("ada");
    await worker.post("ada", bearer("unknown"));
    await worker.fetch("/health");
    expect(limiter.keys).toEqual([]);
  });

  it.each<[string, () => Promise<never>]>([
    ["rejects", () => Promise.reject(new Error("limiter away"))],
    [
      "throws",
      () => {
        throw new Error("limiter away");
      },
    ],
  ])("lets requests pass while the limiter %s, and says so in the log", async (_what, limit) => {
    const app = await createTestApp();
    const warnings = vi.spyOn(console, "warn");
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: { limit } });
    expect((await worker.post("ada")).status).toBe(200);
    expect(warnings.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([
      { level: "warn", event: "rate_limiter_failed", cause: "Error: limiter away" },
    ]);
  });

  it("is none where no limiter is bound", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: undefined });
    expect((await worker.post("ada")).status).toBe(200);
  });
});
