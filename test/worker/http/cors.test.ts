import { describe, expect, it } from "vitest";
import { createTestApp } from "../../support/coze.ts";
import { ORIGIN, propertiesOf, startWorker } from "../../support/worker.ts";

const APP = "https://app.example.com";

async function startFor(allowedOrigins?: string) {
  const app = await createTestApp();
  const worker = await startWorker({ ...app.settings, ALLOWED_ORIGINS: allowedOrigins });
  return { app, worker };
}

const from = (origin: string, headers: Record<string, string> = {}) => ({ headers: { Origin: origin, ...headers } });

describe("CORS", () => {
  it("lets every page read responses unless origins are listed", async () => {
    const { worker } = await startFor();
    const response = await worker.post("ada", from("https://anything.example"));
    expect(response.status).toBe(200);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.get("Access-Control-Expose-Headers")).toBe(
      "X-Request-Id, Cache-Status, Retry-After, Server-Timing",
    );
    expect(response.headers.get("Access-Control-Allow-Credentials")).toBeNull();
  });

  it.each([
    [APP, APP],
    ["https://a.b.example.org", `${APP}, https://*.example.org`],
    [ORIGIN, APP],
  ])("lets pages of %s read responses with ALLOWED_ORIGINS %s, and varies by Origin", async (origin, list) => {
    const { worker } = await startFor(list);
    const response = await worker.post("ada", from(origin));
    expect(response.status).toBe(200);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe(origin);
    expect(response.headers.get("Vary")).toBe("Origin");
  });

  it.each(["https://evil.example", "http://app.example.com", "null", "https://app.example.com.evil.example"])(
    "refuses pages of %s without CORS headers or a request to Coze",
    async (origin) => {
      const { app, worker } = await startFor(APP);
      const response = await worker.post("ada", from(origin));
      expect(response.status).toBe(403);
      expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
      expect(response.headers.get("Vary")).toBe("Origin");
      const body = await propertiesOf(response);
      expect(body).toMatchObject({ error: "access_denied", error_description: expect.stringContaining(origin) });
      expect(body).not.toHaveProperty("access_token");
      expect(await app.exchanges()).toEqual([]);
    },
  );

  it("lets scripts, which send no Origin, request tokens whatever origins are listed", async () => {
    const { worker } = await startFor(APP);
    const response = await worker.post("ada");
    expect(response.status).toBe(200);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect(response.headers.get("Vary")).toBe("Origin");
  });
});

describe("CORS preflight", () => {
  const preflight = (origin: string) => ({
    method: "OPTIONS",
    ...from(origin, {
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "x-user-id,traceparent",
    }),
  });

  it.each(["/", "/health", "/anything"])("responds to a preflight at %s without settings", async (path) => {
    const worker = await startWorker({ CLIENT_ID: undefined });
    const response = await worker.fetch(path, preflight(APP));
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, POST, OPTIONS",
      "access-control-allow-headers": "Authorization, Content-Type, X-User-ID, X-Request-Id, cf-turnstile-response, *",
      "access-control-max-age": "86400",
      "x-request-id": expect.any(String),
    });
  });

  it("accepts the preflight of a listed origin and refuses that of another", async () => {
    const { worker } = await startFor(APP);
    const granted = await worker.fetch("/", preflight(APP));
    expect(granted.status).toBe(204);
    expect(granted.headers.get("Access-Control-Allow-Origin")).toBe(APP);

    const refused = await worker.fetch("/", preflight("https://evil.example"));
    expect(refused.status).toBe(403);
    expect(refused.headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect(refused.headers.get("Access-Control-Allow-Methods")).toBeNull();
  });
});
