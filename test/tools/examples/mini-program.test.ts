import { exec } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { createTokenProvider, type TokenFetch } from "../../../src/client/client.ts";
import { parseConfig } from "../../../src/config/config.ts";
import { type LoopbackServer, serveOnLoopback } from "../../../tools/lib/loopback-server.ts";

/** The options of `wx.request`, as WeChat documents them. */
type WxRequest = {
  readonly url: string;
  readonly method: string;
  readonly header: Record<string, string>;
  readonly data?: string;
  readonly dataType?: string;
  readonly redirect?: "follow" | "manual";
  readonly success: (result: { statusCode: number; header: object; data: unknown }) => void;
  readonly fail: (result: { errMsg: string }) => void;
};
type Wx = { readonly request: (options: WxRequest) => { abort: () => void } };

// The example is plain JavaScript, as mini-programs are.
const EXAMPLE = new URL("../../../examples/mini-program/", import.meta.url);
const { createWxFetch } = (await import(new URL("wx-fetch.js", EXAMPLE).href)) as {
  createWxFetch: (wx: Wx) => TokenFetch;
};
const { respondWithToken } = (await import(new URL("backend.js", EXAMPLE).href)) as {
  respondWithToken: (userId: string, body: string) => Promise<Response>;
};

/** Stands for `wx`: over the network, and without anything that only browsers have. */
const wx: Wx = {
  request(options) {
    const { url, method, header, data, dataType = "json", redirect = "follow", success, fail } = options;
    const sent = request(url, { method, headers: header }, async (response) => {
      const body = await text(response);
      const { statusCode = 0, headers } = response;
      if (redirect === "follow" && headers.location !== undefined) {
        wx.request({ ...options, url: new URL(headers.location, url).href });
        return;
      }
      success({ statusCode, header: headers, data: dataType === "json" ? JSON.parse(body) : body });
    });
    sent.on("error", ({ message }) => fail({ errMsg: `request:fail ${message}` }));
    sent.end(data);
    return { abort: () => sent.destroy(new Error("abort")) };
  },
};

let server: LoopbackServer;
let respond: () => Promise<Response> | Response;
let requests: { readonly method: string; readonly headers: Headers; readonly body: string }[];

beforeAll(async () => {
  server = await serveOnLoopback(async (received) => {
    requests.push({ method: received.method, headers: received.headers, body: await received.text() });
    return respond();
  });
});
afterAll(() => server.close());

beforeEach(() => {
  requests = [];
  respond = () =>
    Response.json(
      { access_token: `token-${requests.length}` },
      { headers: { "Cache-Status": "coze-token-worker; hit; ttl=900" } },
    );
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

/** What the provider passes. */
const INIT = {
  method: "POST",
  headers: {},
  signal: new AbortController().signal,
  cache: "no-store",
  credentials: "omit",
  redirect: "manual",
  referrerPolicy: "strict-origin",
} as const;

const provide = (options = {}) =>
  createTokenProvider({ endpoint: server.url, credential: "jwt", fetch: createWxFetch(wx), ...options });

/** The folder of a mini-program, with the example and the client that was downloaded. */
async function createProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-mini-program-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(EXAMPLE, folder, { recursive: true });
  await build({
    entryPoints: ["src/client/client.ts"],
    bundle: true,
    format: "esm",
    outfile: join(folder, "client.js"),
  });
  return folder;
}

describe("the mini-program example", () => {
  it("gets a token in the mini-program example for the logged-in user", async () => {
    const folder = await createProject();
    vi.stubGlobal("getApp", () => ({ globalData: { sessionJwt: "jwt-of-ada" } }));
    let url: string | undefined;
    vi.stubGlobal("wx", {
      request(options: WxRequest) {
        url = options.url;
        return wx.request({ ...options, url: server.url });
      },
    });
    const { getToken } = await import(pathToFileURL(join(folder, "token.js")).href);
    expect(await getToken()).toBe("token-1");
    expect(url).toBe("https://token.example.com/");
    expect(requests[0]?.headers.get("authorization")).toBe("Bearer jwt-of-ada");
  });

  it("bundles the client with the command of the mini-program example under the name that token.js imports", async () => {
    const folder = await createProject();
    const [, command = ""] = /^ *npx (esbuild .+)$/m.exec(await readFile(join(folder, "README.md"), "utf8")) ?? [];
    await promisify(exec)(command, { cwd: folder });
    const [, name = ""] = /from "(.+client.+)"/.exec(await readFile(join(folder, "token.js"), "utf8")) ?? [];
    expect(await readFile(join(folder, name), "utf8")).not.toContain("import.meta");
    const client: { createTokenProvider: typeof createTokenProvider } = createRequire(join(folder, "token.js"))(name);
    const getToken = client.createTokenProvider({
      endpoint: server.url,
      credential: "jwt",
      fetch: createWxFetch(wx),
    });
    expect(await getToken()).toBe("token-1");
  });

  it("reads the caller of the mini-program example as it is pasted into wrangler.toml", async () => {
    const folder = await createProject();
    const [, toml = ""] = /```toml\n(.*?)```/s.exec(await readFile(join(folder, "README.md"), "utf8")) ?? [];
    const config = join(folder, "wrangler.toml");
    await writeFile(config, `name = "worker"\ncompatibility_date = "2026-11-01"\n${toml}`);
    const { CALLERS } = readConfig({ config }).vars;
    expect(CALLERS).toHaveLength(1);
    expect(await parseConfig({ CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: "key", CALLERS })).toHaveProperty("value");
  });
});

describe("the backend of the mini-program example", () => {
  const serveBackend = async () => {
    vi.stubEnv("TOKEN_URL", server.url);
    vi.stubEnv("API_KEY", "ctw_key");
    const backend = await serveOnLoopback(async (received) => respondWithToken("user-1", await received.text()));
    onTestFinished(() => backend.close());
    return provide({ endpoint: backend.url, credential: "session of ada" });
  };

  it("asks the service through the backend for its own user, with its API key", async () => {
    const getToken = await serveBackend();
    expect(await getToken()).toBe("token-1");
    expect(requests[0]?.headers.get("authorization")).toBe("Bearer ctw_key");
    expect(requests[0]?.headers.get("x-user-id")).toBe("user-1");
  });

  it("passes the mini-program's needs and the life of the token on through the backend", async () => {
    const getToken = await serveBackend();
    respond = () =>
      Response.json({ access_token: "short" }, { headers: { "Cache-Status": "coze-token-worker; ttl=1" } });
    await getToken();
    await getToken({ minSeconds: 2 });
    expect(requests.map(({ body }) => JSON.parse(body))).toEqual([{}, { minimum_seconds: 2 }]);
  });

  it("passes the service's error on through the backend", async () => {
    const getToken = await serveBackend();
    respond = () => Response.json({ error: "access_denied", error_description: "No." }, { status: 403 });
    await expect(getToken()).rejects.toMatchObject({ code: "access_denied", description: "No.", status: 403 });
  });
});

describe("the token provider over wx.request", () => {
  it("gets a token in a runtime without fetch, performance, localStorage and crypto", async () => {
    for (const name of ["fetch", "performance", "localStorage", "crypto"]) {
      vi.stubGlobal(name, undefined);
    }
    const getToken = provide();
    expect(await getToken({ minSeconds: 300 })).toBe("token-1");
    expect(await getToken()).toBe("token-1");
    vi.unstubAllGlobals();
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ method: "POST", body: JSON.stringify({ minimum_seconds: 300 }) });
    expect(requests[0]?.headers.get("authorization")).toBe("Bearer jwt");
  });

  it("reads the life of a token from its header over wx.request", async () => {
    respond = () =>
      Response.json({ access_token: "short" }, { headers: { "cache-status": "coze-token-worker; ttl=1" } });
    const getToken = provide();
    await getToken();
    await getToken({ minSeconds: 2 });
    expect(requests).toHaveLength(2);
  });

  it("rejects with the service's error over wx.request", async () => {
    respond = () => Response.json({ error: "invalid_client", error_description: "No." }, { status: 401 });
    await expect(provide()()).rejects.toMatchObject({ code: "invalid_client", description: "No.", status: 401 });
  });

  it("follows no redirect over wx.request", async () => {
    respond = () =>
      new Response(null, requests.length === 1 ? { status: 307, headers: { Location: "/elsewhere" } } : {});
    const response = await createWxFetch(wx)(server.url, { ...INIT, headers: { Authorization: "Bearer jwt" } });
    expect(response.status).toBe(307);
    expect(requests).toHaveLength(1);
  });

  it("tries again over wx.request when the network fails", async () => {
    let failures = 0;
    const flaky: Wx = {
      request(options) {
        failures += 1;
        return wx.request(failures === 1 ? { ...options, url: "http://127.0.0.1:1/" } : options);
      },
    };
    expect(await provide({ fetch: createWxFetch(flaky) })()).toBe("token-1");
  });

  it("aborts the request of wx.request with its signal", async () => {
    const controller = new AbortController();
    respond = () => new Promise<Response>(() => {});
    const response = createWxFetch(wx)(server.url, { ...INIT, signal: controller.signal });
    const rejected = expect(response).rejects.toThrow("request:fail abort");
    await vi.waitUntil(() => requests.length === 1);
    controller.abort();
    await rejected;
  });
});
