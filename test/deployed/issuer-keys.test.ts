import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";
import { buildScript, type CozeApp, startCozeApp } from "../support/deployed-worker.ts";
import { createTestIssuer, documentOf, sharedKey, type TestIssuer } from "../support/issuer.ts";
import { createIssuers } from "../support/issuer-server.ts";
import { serve } from "../support/stand-in-server.ts";

const resources = new AsyncDisposableStack();
let script: string;
let app: CozeApp;
let issuers: Awaited<ReturnType<typeof serve>>;
let issuer: TestIssuer;
let worker: Workerd;

beforeAll(async () => {
  script = await buildScript(resources);
  app = await startCozeApp(resources);
  issuers = resources.adopt(await serve(createIssuers()), (server) => server.close());
});

afterAll(() => resources.disposeAsync());

/** On raw workerd each request has a context of its own, which ends with its client. */
beforeEach(async () => {
  issuer = await createTestIssuer({ issuersUrl: issuers.url, keys: [await sharedKey("ES256")] });
  const { jwksUri } = issuer;
  await issuer.publish("discovery", { ...documentOf({ issuer: issuer.issuer, jwks_uri: jwksUri }), delay_ms: 600 });
  worker = await startWorkerd({
    script,
    vars: { ...app.settings, CALLERS: [{ name: "web", issuer: issuer.issuer, audience: "api" }] },
    edge: true,
  });
});

afterEach(() => worker.close());

async function post(headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const jwt = await issuer.sign({ aud: "api", sub: "ada" });
  const response = await fetch(worker.url, { method: "POST", headers: { ...headers, Authorization: `Bearer ${jwt}` } });
  await response.arrayBuffer();
  return response.status;
}

const postTimes = (count: number) => Promise.all(Array.from({ length: count }, () => post()));

describe("with a slow issuer, on real workerd", () => {
  it("serves ten concurrent first requests after one fetch of an issuer's keys", async () => {
    expect(await postTimes(10)).toEqual(Array(10).fill(200));
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("fetches an issuer's keys once for all waiting requests when the first client has left", async () => {
    const first = post({ "X-Leave-After": "300" });
    await expect.poll(async () => (await issuer.fetches()).discovery, { timeout: 10_000 }).toBe(1);
    const others = postTimes(10);
    expect(await first).toBe(499);
    expect(await others).toEqual(Array(10).fill(200));
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });

  it("caches an issuer's keys for the next request when the only client has left", async () => {
    expect(await post({ "X-Leave-After": "300" })).toBe(499);
    await expect.poll(async () => (await issuer.fetches()).keys, { timeout: 10_000 }).toBe(1);
    expect(await post()).toBe(200);
    expect(await issuer.fetches()).toEqual({ discovery: 1, keys: 1 });
  });
});
