import { writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startCoze, vars } from "./coze-app.ts";
import { createProject, type Project, wranglerToml } from "./project.ts";
import { type StartedService, send, startService } from "./service.ts";

const ALLOWED = "https://app.example.com";
const OTHER_PORT = "http://localhost:5173";

/** With a route, wrangler by itself tells the Worker that every request is for the route's host. */
const ROUTE = 'routes = [{ pattern = "token.example.com", custom_domain = true }]\n';

describe("npm start with the settings of a real app and a custom domain", () => {
  let coze: Awaited<ReturnType<typeof startCoze>>;
  let project: Project;
  let service: StartedService;

  beforeAll(async () => {
    coze = await startCoze();
    const varsFile = vars({ TOKEN_ENDPOINT: coze.tokenEndpoint });
    project = createProject({ ".dev.vars": varsFile, "wrangler.toml": ROUTE + wranglerToml({}) });
    service = await startService(project);
  });

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    project[Symbol.dispose]();
    await coze.close();
  });

  it("listens on 127.0.0.1 and on no other address", async () => {
    // 127.0.0.2 is this machine too: it would respond if the service listened everywhere.
    await expect(fetch(`http://127.0.0.2:${service.port}/`)).rejects.toThrow("fetch failed");
  });

  it("refuses a request for a foreign host, which only DNS rebinding sends here", async () => {
    const { status, headers, body } = await send(service.url, { Host: `token.example.com:${service.port}` });

    expect({ status, type: headers["content-type"] }).toEqual({ status: 403, type: "application/json" });
    expect(body).toEqual({
      error: "access_denied",
      error_description:
        "npm start serves 127.0.0.1, localhost and [::1] only; this request is for a host of another name.",
      request_id: headers["x-request-id"],
    });
  });

  it("shows settings to its own console alone, also where a page of a foreign host sends wrangler another URL", async () => {
    const path = `${service.url}local/overview`;
    const rebound = { Host: `evil.example:${service.port}`, "MF-Original-URL": path };
    const responses = await Promise.all([
      send(path, { Origin: ownOrigin() }),
      send(path, rebound, "GET"),
      send(path, rebound),
      send(path, { ...rebound, Origin: `http://${rebound.Host}` }),
    ]);

    expect(responses.map(({ status }) => status)).toEqual([200, 403, 403, 403]);
    expect(responses.map(({ body }) => JSON.stringify(body).includes('"settings"'))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("refuses pages of foreign origins without CORS headers, their preflights included", async () => {
    const posted = await send(service.url, { Origin: ALLOWED });
    const preflight = await send(service.url, { Origin: ALLOWED, "Access-Control-Request-Method": "POST" }, "OPTIONS");

    expect([posted.status, preflight.status]).toEqual([403, 403]);
    expect(corsHeaders(posted.headers).concat(corsHeaders(preflight.headers))).toEqual([]);
    expect(posted.body).toEqual({
      error: "access_denied",
      error_description: `npm start gives nothing to pages of ${ALLOWED} unless ALLOWED_ORIGINS names them.`,
      request_id: posted.headers["x-request-id"],
    });
  });

  it("gives tokens to scripts, to its own pages, and to pages of other loopback ports, which may read them", async () => {
    const responses = await Promise.all([
      send(service.url, {}),
      send(service.url, { Origin: ownOrigin() }),
      send(service.url, { Origin: OTHER_PORT }),
    ]);

    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(responses[2]?.headers["access-control-allow-origin"]).toBe("*");
  });

  it("leaves origins to the Worker once wrangler.toml sets ALLOWED_ORIGINS, and still refuses foreign hosts", async () => {
    // wrangler loads the settings again when the file has changed.
    writeFileSync(join(project.root, "wrangler.toml"), ROUTE + wranglerToml({ ALLOWED_ORIGINS: ALLOWED }));
    await vi.waitFor(async () => expect((await send(service.url, { Origin: ALLOWED })).status).toBe(200), 20_000);

    const own = await send(service.url, { Origin: ownOrigin() });
    const other = await send(service.url, { Origin: OTHER_PORT });
    const foreignHost = await send(service.url, { Origin: ALLOWED, Host: "token.example.com" });
    writeFileSync(join(project.root, "wrangler.toml"), ROUTE + wranglerToml({}));
    await vi.waitFor(async () => expect((await send(service.url, { Origin: ALLOWED })).status).toBe(403), 20_000);

    expect([own.status, other.status, foreignHost.status]).toEqual([200, 403, 403]);
    expect(other.body).toMatchObject({
      error_description: expect.stringMatching(/^Pages of http:..localhost:5173 may/),
    });
  });

  function ownOrigin(): string {
    return new URL(service.url).origin;
  }
});

function corsHeaders(headers: IncomingHttpHeaders): readonly string[] {
  return Object.keys(headers).filter((name) => name.startsWith("access-control-"));
}
