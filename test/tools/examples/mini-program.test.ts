import { cp, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createTokenProvider, type TokenFetch } from "../../../src/client/client.ts";
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
const EXAMPLE = new URL("../../../examples/mini-program/wx-fetch.js", import.meta.url).href;
const { createWxFetch } = (await import(EXAMPLE)) as { createWxFetch: (wx: Wx) => TokenFetch };

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
afterEach(() => void vi.unstubAllGlobals());

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

describe("the example as a mini-program has it, beside the client that was downloaded", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coze-token-worker-mini-program-"));
    await cp("examples/mini-program", folder, { recursive: true });
    await build({
      entryPoints: ["src/client/client.ts"],
      bundle: true,
      format: "esm",
      outfile: join(folder, "client.js"),
    });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("gets a token in the mini-program example for the logged-in user", async () => {
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
