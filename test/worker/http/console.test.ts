import { beforeAll, describe, expect, it } from "vitest";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { propertiesOf, startWorker } from "../../support/worker.ts";

const BROWSER = { headers: { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" } };

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});

async function getRoot(settings: Readonly<Record<string, unknown>>, init?: RequestInit): Promise<Response> {
  const worker = await startWorker(settings);
  return worker.fetch("/", init);
}

describe("GET /", () => {
  it("serves the console at GET / to a browser", async () => {
    const response = await getRoot(app.settings, BROWSER);
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("Content-Security-Policy")).toContain("script-src 'sha256-");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(response.headers.get("X-Request-Id")).not.toBeNull();
    expect(await response.text()).toContain("<title>coze-token-worker</title>");
  });

  it.each(["TEXT/HTML", "application/json, text/html;level=1 ; q=0.1"])(
    "shows the console to a client that accepts %s",
    async (accept) => {
      expect((await getRoot(app.settings, { headers: { Accept: accept } })).status).toBe(200);
    },
  );

  it.each([undefined, "*/*", "application/json", "text/htmlx", "text/html;q=0, */*", "text/html; Q=0.000"])(
    "sends a client that accepts %s an error",
    async (accept) => {
      const response = await getRoot(app.settings, accept === undefined ? {} : { headers: { Accept: accept } });
      expect(response.status).toBe(405);
      expect(await propertiesOf(response)).toMatchObject({ error: "method_not_allowed" });
    },
  );

  it("serves the console while settings are wrong", async () => {
    expect((await getRoot({ ...app.settings, KID: "" }, BROWSER)).status).toBe(200);
  });

  it.each([
    ["CONSOLE is off", { CONSOLE: "off" }, "is off"],
    ["CONSOLE is off and another setting is wrong", { CONSOLE: " off ", KID: "" }, "is off"],
    ["CONSOLE is off and there are no static assets", { CONSOLE: "off", ASSETS: undefined }, "is off"],
    [
      "there are no static assets",
      { CONSOLE: "on", ASSETS: undefined },
      "wrangler.toml of this service has no [assets]",
    ],
  ])("responds to GET / with 404 to a browser if %s", async (_case, settings, reason) => {
    const response = await getRoot({ ...app.settings, ...settings }, BROWSER);
    expect(response.status).toBe(404);
    expect(await propertiesOf(response)).toMatchObject({
      error: "not_found",
      error_description: expect.stringContaining(reason),
    });
  });

  it("responds to GET / with 405 to a script while CONSOLE is off", async () => {
    expect((await getRoot({ ...app.settings, CONSOLE: "off" })).status).toBe(405);
  });

  it("sends of the asset's headers only the type and the policy, which is empty where there is none", async () => {
    const headers = { "Content-Type": "text/html; charset=utf-8", ETag: '"1"' };
    const assets = { fetch: async () => new Response("page", { headers }) };
    const response = await getRoot({ ...app.settings, ASSETS: assets }, BROWSER);
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("Content-Security-Policy")).toBe("");
    expect(response.headers.get("ETag")).toBeNull();
  });

  it("responds to GET / with server_error if the assets lack the console", async () => {
    const assets = { fetch: async () => new Response(null, { status: 404 }) };
    const response = await getRoot({ ...app.settings, ASSETS: assets }, BROWSER);
    expect(response.status).toBe(500);
    expect(await propertiesOf(response)).toMatchObject({ error: "server_error" });
  });
});
