import { beforeAll, describe, expect, it } from "vitest";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { propertiesOf, RELEASE, startWorker, type TestWorker } from "../../support/worker.ts";

let app: TestApp;
let worker: TestWorker;

beforeAll(async () => {
  app = await createTestApp();
  worker = await startWorker(app.settings);
});

describe("GET /health", () => {
  it("reports at GET /health valid settings, access and where tokens are cached", async () => {
    const response = await worker.fetch("/health");
    expect(response.status).toBe(200);
    expect(await propertiesOf(response)).toEqual({ status: "ok", access: "open", cache: "kv", ...RELEASE });
    expect(RELEASE.deployment).toMatch(/./);
    expect(response.headers.get("X-Request-Id")).toEqual(expect.any(String));
  });

  it("reports at GET /health the version without a deployment where wrangler.toml has no such binding", async () => {
    const older = await startWorker({ ...app.settings, CF_VERSION_METADATA: undefined });
    const health = await propertiesOf(await older.fetch("/health"));
    expect(health).toMatchObject({ status: "ok", version: RELEASE.version });
    expect(health).not.toHaveProperty("deployment");
  });

  it("reports at GET /health when tokens are cached in memory only", async () => {
    const uncached = await startWorker({ ...app.settings, TOKEN_CACHE: undefined });
    expect(await propertiesOf(await uncached.fetch("/health"))).toMatchObject({ cache: "memory" });
  });

  it("names at GET /health every invalid setting without its value", async () => {
    const broken = await startWorker({ CLIENT_ID: " ", PRIVATE_KEY: "secret of mine", TOKEN_DURATION: "99999999" });
    const response = await broken.fetch("/health");
    expect(response.status).toBe(503);
    const body = await response.text();
    expect(JSON.parse(body)).toEqual({
      ...RELEASE,
      status: "misconfigured",
      problems: [
        { setting: "CLIENT_ID", problem: "is required" },
        { setting: "KID", problem: "is required" },
        { setting: "TOKEN_DURATION", problem: "must be a whole number from 1 to 86399" },
        { setting: "PRIVATE_KEY", problem: expect.stringContaining("is damaged") },
      ],
    });
    for (const value of ["secret", "99999999"]) expect(body).not.toContain(value);
  });

  it("sends nothing to Coze for GET /health", async () => {
    const before = (await app.exchanges()).length;
    await worker.fetch("/health");
    expect(await app.exchanges()).toHaveLength(before);
  });

  it("responds to HEAD /health without a body", async () => {
    const response = await worker.fetch("/health", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });
});

describe("other paths and methods", () => {
  it.each(["/nothing", "/health/", "/health/x", "//", "/index.html", "/%00", "/POST"])(
    "responds to %s with 404",
    async (path) => {
      for (const method of ["GET", "POST"]) {
        const response = await worker.fetch(path, { method });
        expect(response.status).toBe(404);
        expect(await propertiesOf(response)).toMatchObject({ error: "not_found" });
      }
    },
  );

  it.each([
    ["GET", "/", "POST, OPTIONS"],
    ["HEAD", "/", "POST, OPTIONS"],
    ["PUT", "/", "POST, OPTIONS"],
    ["DELETE", "/", "POST, OPTIONS"],
    ["PATCH", "/", "POST, OPTIONS"],
    ["PROPFIND", "/", "POST, OPTIONS"],
    ["POST", "/health", "GET, HEAD, OPTIONS"],
    ["DELETE", "/health", "GET, HEAD, OPTIONS"],
  ])("responds to %s %s with 405 and the methods that the path supports", async (method, path, allow) => {
    const response = await worker.fetch(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe(allow);
  });

  it("ignores an unknown query at POST /", async () => {
    expect((await worker.fetch("/?x=1", { method: "POST" })).status).toBe(200);
  });
});

describe("X-Request-Id", () => {
  it("uses a safe request id from the client and replaces any other", async () => {
    const send = async (id: string) =>
      (await worker.fetch("/health", { headers: { "X-Request-Id": id } })).headers.get("X-Request-Id");
    expect(await send("trace-42")).toBe("trace-42");
    for (const bad of ["a b", "<script>", "x".repeat(129), ""]) {
      expect(await send(bad)).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect(await send("")).not.toBe(await send(""));
  });
});
