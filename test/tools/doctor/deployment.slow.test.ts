import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { checkDeployment, type DeploymentOptions } from "../../../tools/doctor/deployment.ts";
import { serveOnLoopback } from "../../../tools/lib/loopback-server.ts";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { type ExampleService, startService } from "../examples/service.ts";

const KEY = "ctw_of-a-test";
const ALLOW_ORIGIN = "Access-Control-Allow-Origin";
const TOKEN = { access_token: "any", token_type: "Bearer" };
const SCRIPT = { name: "script", key_sha256: sha256Hex(KEY) };

let open: ExampleService;
let closed: ExampleService;
let broken: ExampleService;

beforeAll(async () => {
  [open, closed, broken] = await Promise.all([
    startService(),
    startService([SCRIPT], { ALLOWED_ORIGINS: "https://app.example.com", CONSOLE: "off" }),
    startService(undefined, { TOKEN_DURATION: "0" }),
  ]);
});

afterAll(() => Promise.all([open, closed, broken].map((service) => service[Symbol.asyncDispose]())));

function examine(url: string, options: Partial<DeploymentOptions> = {}) {
  return checkDeployment(new URL(url), { restrictsOrigins: false, ...options });
}

async function failures(url: string, options: Partial<DeploymentOptions> = {}) {
  return (await examine(url, options)).filter(({ ok }) => !ok);
}

type Change = (response: Response, request: Request) => Response | undefined | Promise<Response>;

/** Changes some responses: those to a path or a method that, if it matters, have this status. */
function onlyTo(target: string, change: (response: Response) => Response | Promise<Response>, status?: number): Change {
  return (response, { method, url }) => {
    const isMeant = target === method || target === new URL(url).pathname;
    return isMeant && (status ?? response.status) === response.status ? change(response) : undefined;
  };
}

/** Takes a header away, or replaces its value. */
const header = (name: string, value?: string) => (response: Response) => {
  response.headers.delete(name);
  if (value !== undefined) response.headers.set(name, value);
  return response;
};

const body = (text: string | object) => (response: Response) =>
  new Response(typeof text === "string" ? text : JSON.stringify(text), response);

/** A proxy in front of a service that spoils some of its responses, where `undefined` leaves one as it is. */
async function spoil(change: Change, service = open) {
  const proxy = new Hono().all("*", async (c) => {
    const { pathname, search } = new URL(c.req.url);
    const headers = withoutTransport(c.req.raw.headers);
    const response = await fetch(service.tokenUrl.slice(0, -1) + pathname + search, { method: c.req.method, headers });
    const body = response.status === 204 ? null : await response.text();
    const copy = new Response(body, { status: response.status, headers: withoutTransport(response.headers) });
    return (await change(copy, c.req.raw)) ?? copy;
  });
  const server = await serveOnLoopback(proxy.fetch);
  onTestFinished(server.close);
  return server.url;
}

/** What the two connections of a proxy do not share. */
function withoutTransport(headers: Headers): Record<string, string> {
  const own = /^(connection|keep-alive|host|content-length|content-encoding|transfer-encoding)$/;
  return Object.fromEntries([...headers].filter(([name]) => !own.test(name)));
}

const isPage = ({ headers }: Response) => headers.get("Content-Type")?.includes("html");

function endless(): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(16 * 1024)) });
}

describe("npm run doctor -- --url", () => {
  it("finds nothing wrong with an open service, and advises to close it", async () => {
    const found = await examine(open.tokenUrl);
    expect(found.filter(({ ok }) => !ok)).toEqual([]);
    const names = found.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["service: TLS", "health", "access", "token", "no-store", "GET /", "errors", "latency"]),
    );
    expect(found).toContainEqual(expect.objectContaining({ name: "access", hint: expect.stringMatching(/--access/) }));
    expect(found).toContainEqual(
      expect.objectContaining({ name: "CORS, foreign page", hint: expect.stringMatching(/List/) }),
    );
    expect(found).toContainEqual(expect.objectContaining({ name: "console", detail: expect.stringMatching(/^on/) }));
    expect(JSON.stringify(found)).not.toContain("czs_");
  });

  it("does not take a refusal for too many requests for a sign that the service is closed", async () => {
    const limited = (response: Response) => new Response(response.body, { status: 429, headers: response.headers });
    const found = await examine(await spoil(onlyTo("POST", limited), closed));
    expect(found).toContainEqual(
      expect.objectContaining({ name: "access", ok: true, hint: expect.stringMatching(/^Wait a minute/) }),
    );
  });

  it("finds nothing wrong with a closed service, and requests a token with a credential", async () => {
    const options = { origin: "https://app.example.com", restrictsOrigins: true, credential: KEY };
    const found = await examine(closed.tokenUrl, options);
    expect(found.filter(({ ok }) => !ok)).toEqual([]);
    expect(found).toContainEqual(expect.objectContaining({ name: "access", detail: expect.stringMatching(/^closed/) }));
    expect(found).toContainEqual(expect.objectContaining({ name: "token", ok: true }));
    expect(found).toContainEqual(expect.objectContaining({ name: "console", detail: "off" }));
    expect(found).toContainEqual(expect.objectContaining({ name: "CORS, foreign page", detail: "refused with 403" }));
  });

  it("says why a credential gets no token", async () => {
    expect(await failures(closed.tokenUrl, { credential: "ctw_wrong" })).toMatchObject([
      { name: "token", detail: expect.stringMatching(/401 invalid_client/) },
    ]);
  });

  it("finds an origin that the service refuses, and a service that lets in more than wrangler.toml", async () => {
    expect(await failures(closed.tokenUrl, { origin: "https://other.example.com" })).toMatchObject([{ name: "CORS" }]);
    expect(await failures(open.tokenUrl, { restrictsOrigins: true })).toMatchObject([{ name: "CORS, foreign page" }]);
  });

  it("finds a service that is open though wrangler.toml closes it, by what /health says or by a token", async () => {
    expect(await failures(open.tokenUrl, { isClosed: true, env: "production" })).toMatchObject([
      { name: "access", hint: expect.stringMatching(/npm run deploy -- --env production/) },
    ]);
    const lying = await spoil(onlyTo("/health", body({ status: "ok", access: "closed", cache: "kv" })));
    expect(await failures(lying, { isClosed: true })).toMatchObject([
      { name: "access", detail: expect.stringMatching(/says closed/) },
    ]);
  });

  it("names each setting that the deployed Worker has wrong", async () => {
    const [health] = await failures(broken.tokenUrl);
    expect(health).toMatchObject({
      name: "health",
      detail: expect.stringMatching(/^misconfigured: TOKEN_DURATION must/),
    });
  });

  it("says what Coze says when it refuses", async () => {
    await using refused = await startService(undefined, { KID: "unknown" });
    expect(await failures(refused.tokenUrl)).toMatchObject([
      {
        name: "token",
        detail: expect.stringMatching(/502 upstream_rejected.*Coze says: invalid jwt: kid not/),
        hint: expect.stringMatching(/--live/),
      },
    ]);
  });

  it.each<[name: string, what: string, change: Change]>([
    ["no-store", "a token that may be cached", onlyTo("POST", header("Cache-Control", "max-age=60"), 200)],
    ["no-store", "no Pragma", onlyTo("POST", header("Pragma"))],
    ["CORS", "tokens that no page can read", onlyTo("POST", header(ALLOW_ORIGIN))],
    ["CORS", "preflights for no origin", onlyTo("OPTIONS", header(ALLOW_ORIGIN, "null"))],
    ["CORS", "preflights without Authorization", onlyTo("OPTIONS", header("Access-Control-Allow-Headers", "*"))],
    ["GET /", "a token for GET", onlyTo("GET", body({ access_token: "any" }), 405)],
    ["GET /", "a page for everyone", onlyTo("GET", () => new Response("hello"), 405)],
    ["errors", "errors of another server", onlyTo("GET", body("Not Found"), 404)],
    ["token", "a page instead of a token", onlyTo("POST", body("<html>"), 200)],
    ["token", "a token that has ended", onlyTo("POST", body({ ...TOKEN, expires_in: 900 }), 200)],
    ["token", "a body without end", onlyTo("POST", (response) => new Response(endless(), response), 200)],
    [
      "console",
      "no console",
      onlyTo("/", (response) => (isPage(response) ? new Response("", { status: 500 }) : response)),
    ],
    ["access", "a token though closed", onlyTo("/health", body({ status: "ok", access: "closed", cache: "kv" }))],
    [
      "access",
      "an error instead of a refusal",
      (response, request) =>
        onlyTo("/health", body({ status: "ok", access: "closed" }))(response, request) ??
        onlyTo("POST", (refused) => new Response("{}", { status: 502, headers: refused.headers }))(response, request),
    ],
    ["latency", "a slow response", onlyTo("/health", (response) => sleep(1600, response))],
    ["health", "another service", () => new Response("hello")],
  ])("finds what a proxy has changed: %s, for %s", async (name, _what, change) => {
    const found = await failures(await spoil(change));
    expect(found.map((finding) => finding.name)).toEqual([name]);
    expect(found[0]?.hint).not.toBe("");
  });

  it("finds an address where nothing listens, and a service that hangs", async () => {
    expect(await failures("http://127.0.0.1:9/")).toMatchObject([{ name: "service" }]);
    const { timeout } = AbortSignal;
    const spy = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => timeout.call(AbortSignal, 300));
    onTestFinished(() => spy.mockRestore());
    const hanging = await spoil(() => new Promise(() => {}));
    expect(await failures(hanging)).toMatchObject([{ name: "service", detail: expect.stringMatching(/\(timeout\)$/) }]);
  });

  it("shows no piece of the credential that a service quotes", async () => {
    const credential = "ctw_of-nobody";
    const refusal = { error: credential, error_description: `no caller has ${credential.slice(2)}` };
    const url = await spoil(onlyTo("POST", body(refusal), 401), closed);
    const found = await failures(url, { credential, origin: "https://app.example.com" });
    expect(found).toMatchObject([
      { name: "token", detail: expect.stringMatching(/\[secret\]: no caller has \[secret\]$/) },
    ]);
  });

  it("finds tokens for the pages of every origin, whatever the preflight says", async () => {
    const change = onlyTo("OPTIONS", () => new Response(null, { status: 403 }));
    const found = await failures(await spoil(change), { restrictsOrigins: true });
    expect(found).toMatchObject([
      { name: "CORS", detail: expect.stringMatching(/preflight gets 403/) },
      { name: "CORS, foreign page" },
    ]);
  });

  it("finds a refusal that may be cached", async () => {
    const url = await spoil(onlyTo("POST", header("Cache-Control")), closed);
    expect(await failures(url, { origin: "https://app.example.com" })).toMatchObject([{ name: "no-store" }]);
  });

  it("shows the version that the service tells, and advises where tokens are cached in memory only", async () => {
    const health = { status: "ok", access: "open", cache: "memory", version: "1.2.3" };
    const url = await spoil(onlyTo("/health", body(health)));
    const found = await examine(url);
    expect(found).toContainEqual(expect.objectContaining({ name: "version", detail: "1.2.3" }));
    expect(found).toContainEqual(
      expect.objectContaining({ name: "health", hint: expect.stringMatching(/TOKEN_CACHE/) }),
    );
  });

  it("finds a host without an address, and plain http to another machine", async () => {
    expect(await failures("https://nowhere.invalid/")).toMatchObject([
      { name: "service: DNS", detail: expect.stringMatching(/no address/) },
    ]);
    expect(await failures("http://192.0.2.1/")).toMatchObject([
      { name: "service: TLS", hint: "Use https://192.0.2.1/" },
    ]);
  });

  it("finds a certificate that is not trusted or expires soon, and accepts a good one", async () => {
    const untrusted = await serveTls(30);
    expect(await failures(untrusted.url)).toMatchObject([
      { name: "service: TLS", detail: expect.stringMatching(/SELF_SIGNED/) },
    ]);

    const [ending, good] = [await serveTls(3), await serveTls(30)];
    const before = getCACertificates("default");
    onTestFinished(() => setDefaultCACertificates(before));
    setDefaultCACertificates([...before, ending.certificate, good.certificate]);
    expect(await failures(ending.url)).toMatchObject([
      { name: "service: TLS", detail: expect.stringMatching(/valid for [23] days/) },
    ]);
    expect(await failures(good.url)).toEqual([]);
  });
});

/** The open service behind https, with a certificate of its own that is valid for so many days. */
async function serveTls(days: number) {
  const folder = mkdtempSync(join(tmpdir(), "doctor-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", String(days), ...subject];
  execFileSync("openssl", [...args, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const pair = { key: readFileSync(key), cert: readFileSync(cert, "utf8") };
  rmSync(folder, { recursive: true });

  const proxy = await spoil(() => undefined);
  const listener = getRequestListener(async (request) => {
    const { pathname, search } = new URL(request.url);
    return fetch(proxy + pathname + search, {
      method: request.method,
      headers: withoutTransport(request.headers),
      redirect: "manual",
    });
  });
  const server = createServer(pair, listener);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `https://localhost:${port}/`, certificate: pair.cert };
}
