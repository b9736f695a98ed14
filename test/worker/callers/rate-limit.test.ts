import { afterEach, describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, expectRefusal, sha256 } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { createTestIssuer } from "../../support/issuer.ts";
import { fromAddress, limiterOf } from "../../support/rate-limiter.ts";
import { createTestWidget, SOLVED } from "../../support/turnstile.ts";
import { json, propertiesOf, startWorker } from "../../support/worker.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const tooMany = { status: 429, error: "rate_limited", description: "Too many requests." };
const visitors = { name: "visitors", anonymous: true };
const script = { name: "script", key_sha256: sha256(API_KEY) };

describe("the rate limit", () => {
  it("counts requests by caller and user, or by address where no credential names the user", async () => {
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
      "visitors 2001:db8:0:0::/64",
      "visitors ",
    ]);
  });

  it("counts requests to an open service by address", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(100);
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: limiter });
    await worker.post("ada", fromAddress("203.0.113.7", bearer("stray")));
    expect(limiter.keys).toEqual(["anyone 203.0.113.7"]);
  });

  it("refuses a user above the rate limit, and no other user", async () => {
    const [app, refused] = [await createTestApp(), await createTestApp()];
    const limiter = limiterOf(1);
    const settings = { CALLERS: [script], RATE_LIMITER: limiter, ALLOWED_ORIGINS: "https://app.example.com" };
    const worker = await startWorker({ ...app.settings, ...settings });
    expect((await worker.post("ada", bearer(API_KEY))).status).toBe(200);
    expect((await worker.post("bob", bearer(API_KEY))).status).toBe(200);

    const init = { headers: { Origin: "https://app.example.com" } };
    const response = await (await startWorker({ ...refused.settings, ...settings })).post("ada", bearer(API_KEY, init));
    expect(response.headers.get("Retry-After")).toBe("60");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("https://app.example.com");
    expect(response.headers.get("Access-Control-Expose-Headers")).toContain("Retry-After");
    await expectRefusal(response, refused, tooMany);
  });

  it("limits requests for cached tokens too", async () => {
    const app = await createTestApp();
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: limiterOf(1) });
    expect((await worker.post("ada")).status).toBe(200);
    expect((await worker.post("ada")).status).toBe(429);
  });

  it("checks the rate limit before the body and Turnstile, so that neither can be used to make work", async () => {
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

  it("counts refused credentials by address, and limits them", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(2);
    const worker = await startWorker({ ...app.settings, CALLERS: [script], RATE_LIMITER: limiter });
    const guess = () => worker.post("ada", fromAddress("2001:db8::1", bearer("unknown")));
    expect((await guess()).status).toBe(401);
    expect((await worker.post("ada", fromAddress("2001:db8::2"))).status).toBe(401);
    await expectRefusal(await guess(), app, tooMany);
    expect((await worker.post("ada", fromAddress("2001:db8::1", bearer(API_KEY)))).status).toBe(200);
    expect(limiter.keys).toEqual([...Array.from({ length: 3 }, () => "- 2001:db8:0:0::/64"), "script ada"]);
  });

  it("counts other zones' Workers, which share an address, by zone, and believes CF-Worker of no other", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(100);
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: limiter });
    await worker.post("ada", fromAddress("2a06:98c0:3600::103", { headers: { "CF-Worker": "a.example" } }));
    await worker.post("ada", fromAddress("203.0.113.7", { headers: { "CF-Worker": "a.example" } }));
    expect(limiter.keys).toEqual(["anyone 2a06:98c0:3600:0::/64 a.example", "anyone 203.0.113.7"]);
  });

  it("does not count requests to other paths than that of tokens", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(100);
    const worker = await startWorker({ ...app.settings, CALLERS: [script], RATE_LIMITER: limiter });
    await worker.fetch("/health");
    expect(limiter.keys).toEqual([]);
  });

  it("counts all requests of a caller with a limiter together, beside those of each user", async () => {
    const app = await createTestApp();
    const [limiter, team] = [limiterOf(100), limiterOf(2)];
    const callers = [{ ...script, limiter: "TEAM_A_LIMITER" }, visitors];
    const settings = { CALLERS: callers, RATE_LIMITER: limiter, TEAM_A_LIMITER: team };
    const worker = await startWorker({ ...app.settings, ...settings });
    expect((await worker.post("ada", bearer(API_KEY))).status).toBe(200);
    expect((await worker.post("bob", bearer(API_KEY))).status).toBe(200);
    const response = await worker.post("eve", bearer(API_KEY));
    expect([response.status, response.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect((await worker.post("eve")).status).toBe(200);
    expect(team.keys).toEqual(["script", "script", "script"]);
    expect(limiter.keys).toEqual(["script ada", "script bob", "script eve", "visitors "]);
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

  it("does not count a user's refused requests for the limiter of the whole caller", async () => {
    const app = await createTestApp();
    const team = limiterOf(100);
    const callers = [{ ...script, limiter: "TEAM_A_LIMITER" }];
    const settings = { CALLERS: callers, RATE_LIMITER: limiterOf(1), TEAM_A_LIMITER: team };
    const worker = await startWorker({ ...app.settings, ...settings });
    for (const status of [200, 429, 429]) expect((await worker.post("ada", bearer(API_KEY))).status).toBe(status);
    expect(team.keys).toEqual(["script"]);
  });

  it("lets requests pass while the limiter hangs, after half a second", async () => {
    const app = await createTestApp();
    const warnings = vi.spyOn(console, "warn");
    const worker = await startWorker({ ...app.settings, RATE_LIMITER: { limit: () => new Promise(() => {}) } });
    expect((await worker.post("ada")).status).toBe(200);
    expect(warnings.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([
      { level: "warn", event: "rate_limiter_failed", cause: "Error: no response within 500 ms" },
    ]);
  });
});

describe("the limit of exchanges", () => {
  const duration = (seconds: number, init: RequestInit = {}) =>
    bearer(API_KEY, { ...init, ...json({ duration_seconds: seconds }) });

  it("limits the exchanges of a user whose requests vary, and of no other user", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(3);
    const worker = await startWorker({ ...app.settings, CALLERS: [script], EXCHANGE_LIMITER: limiter });
    for (const seconds of [101, 102, 103]) expect((await worker.post("ada", duration(seconds))).status).toBe(200);
    const response = await worker.post("ada", duration(104));
    expect([response.status, response.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect((await propertiesOf(response))["error"]).toBe("rate_limited");
    expect((await worker.post("ada", duration(101))).headers.get("Cache-Status")).toContain("hit");
    expect((await worker.post("bob", duration(104))).status).toBe(200);
    expect(limiter.keys).toEqual([...Array.from({ length: 4 }, () => "script ada"), "script bob"]);
    expect(await app.exchanges()).toHaveLength(4);
  });

  it("counts exchanges by address and user where no credential names the user", async () => {
    const app = await createTestApp();
    const limiter = limiterOf(1);
    const worker = await startWorker({ ...app.settings, EXCHANGE_LIMITER: limiter });
    await worker.post("ada", fromAddress("203.0.113.7"));
    await worker.post("bob", fromAddress("203.0.113.7"));
    await worker.post(undefined, fromAddress("203.0.113.7"));
    expect((await worker.post("ada", fromAddress("203.0.113.7", json({ duration_seconds: 60 })))).status).toBe(429);
    expect((await worker.post("ada", fromAddress("203.0.113.8", json({ duration_seconds: 60 })))).status).toBe(200);
    expect(limiter.keys).toEqual([
      "anyone 203.0.113.7 ada",
      "anyone 203.0.113.7 bob",
      "anyone 203.0.113.7 ",
      "anyone 203.0.113.7 ada",
      "anyone 203.0.113.8 ada",
    ]);
  });
});
