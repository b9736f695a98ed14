import { createPublicKey } from "node:crypto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Config, parseConfig } from "../../../src/config/config.ts";
import { checkIssuers } from "../../../tools/doctor/issuers-check.ts";
import { checkLive, type LiveOptions } from "../../../tools/doctor/live.ts";
import { createEmulator } from "../../../tools/emulator/emulator.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { serveOnLoopback } from "../../../tools/lib/loopback-server.ts";
import { KID, keyPair } from "./folder.ts";

const CLIENT_ID = "1127";
const BOT = { botId: "7379" };

type Change = (request: Request, respond: () => Promise<Response>) => Response | Promise<Response>;

/** A Coze that knows the app, and changes some of its responses; until the test ends. */
async function startCoze(change: Change = (_request, respond) => respond(), kid = KID) {
  const emulator = createEmulator();
  const keys = [{ kid, public_key: keyPair.publicKey }];
  const app = { method: "POST", body: JSON.stringify({ client_id: CLIENT_ID, keys }) };
  expect((await emulator.request("http://127.0.0.1/emulator/apps", app)).status).toBeLessThan(300);
  const server = await serveOnLoopback((request) => change(request, async () => emulator.fetch(request)));
  onTestFinished(server.close);
  return `${server.url}/api/permission/oauth2/token`;
}

/** A server of one document, whatever the path. */
async function serveDocument(document: (url: string) => unknown) {
  const server = await serveOnLoopback(async ({ url }) => Response.json(await document(new URL(url).origin)));
  onTestFinished(server.close);
  return server.url;
}

async function settings(env: Readonly<Record<string, unknown>>): Promise<Config> {
  const parsed = await parseConfig({ CLIENT_ID, KID, PRIVATE_KEY: keyPair.privateKey, ...env });
  if ("issues" in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
}

async function examine(TOKEN_ENDPOINT: string, options: LiveOptions = {}) {
  return checkLive(await settings({ TOKEN_ENDPOINT }), options);
}

async function failures(tokenEndpoint: string, options: LiveOptions = {}) {
  return (await examine(tokenEndpoint, options)).filter(({ ok }) => !ok);
}

async function checkIssuer(caller: { readonly issuer: string; readonly jwks_uri?: string }) {
  const config = await settings({ CALLERS: [{ name: "users", audience: "app", ...caller }] });
  return (await checkIssuers(config.callers))[0];
}

function publicJwk(bits: number): object {
  return { ...createPublicKey(createKeyPair(bits).publicKey).export({ format: "jwk" }), alg: "RS256" };
}

function endless(): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(16 * 1024)) });
}

function brokenOff(): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.error(new Error("broken off")) });
}

/** Makes every timeout this short until the test ends. */
function shortenTimeouts(milliseconds: number): void {
  const { timeout } = AbortSignal;
  const spy = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => timeout.call(AbortSignal, milliseconds));
  onTestFinished(() => spy.mockRestore());
}

/** Responds to the path with a code of Coze's API, as a 200: Coze has both. */
function apiCode(path: string, code: number): Change {
  return (request, respond) =>
    new URL(request.url).pathname === path
      ? Response.json({ code, msg: "said so", detail: { logid: "2026" } })
      : respond();
}

describe("npm run doctor -- --live", () => {
  it("finds nothing wrong where Coze issues a token and accepts it, and shows neither token nor assertion", async () => {
    const found = await examine(await startCoze(), BOT);
    expect(found.filter(({ ok }) => !ok)).toEqual([]);
    expect(found.map(({ name }) => name)).toEqual([
      "Coze: DNS",
      "Coze: TLS",
      "clock",
      "exchange",
      "token at Coze",
      "bot 7379",
    ]);
    expect(JSON.stringify(found)).not.toMatch(/czs_|eyJ/);
  });

  it.each<[what: string, date: number | undefined, ok: boolean, detail: RegExp]>([
    ["behind Coze's", 3600, false, /^3(599|600|601) s behind/],
    ["ahead of Coze's", -3600, false, /^3(599|600|601) s ahead of/],
    ["without a Date to compare with", undefined, true, /no Date/],
  ])("judges a clock %s", async (_what, offset, ok, detail) => {
    const url = await startCoze((request, respond) => {
      if (request.method !== "HEAD") return respond();
      const date = offset === undefined ? "" : new Date(Date.now() + offset * 1000).toUTCString();
      return new Response(null, { headers: { Date: date } });
    });
    const clock = (await examine(url)).find(({ name }) => name === "clock");
    expect(clock).toMatchObject({ ok, detail: expect.stringMatching(detail) });
  });

  it("finds an endpoint without an address, and one where nothing listens", async () => {
    expect(await failures("https://nowhere.invalid/token")).toMatchObject([
      { name: "Coze: DNS", hint: expect.stringMatching(/Check TOKEN_ENDPOINT/) },
    ]);
    expect(await failures("http://127.0.0.1:9/token")).toMatchObject([
      { name: "clock" },
      { name: "exchange", detail: expect.stringMatching(/^upstream_unavailable/) },
    ]);
  });

  it("tries a refused key in the other region, and says which TOKEN_ENDPOINT is right", async () => {
    const [here, there] = [await startCoze(undefined, "another"), await startCoze()];
    const otherRegions = [{ tokenEndpoint: there, audience: "api.coze.cn" }];
    const [exchange] = await failures(here, { otherRegions });
    expect(exchange).toMatchObject({ name: "exchange", detail: expect.stringMatching(/kid not been registred/) });
    expect(exchange?.hint).toContain(`Set TOKEN_ENDPOINT to ${there}`);
  });

  it("says so when both regions refuse the key", async () => {
    const [here, there] = [await startCoze(undefined, "another"), await startCoze(undefined, "a third")];
    const [exchange] = await failures(here, { otherRegions: [{ tokenEndpoint: there, audience: "api.coze.cn" }] });
    expect(exchange).toMatchObject({
      detail: expect.stringMatching(/registred\. The other region refuses it too\.$/),
      hint: expect.stringMatching(/^Compare CLIENT_ID, KID/),
    });
  });

  it("explains a refusal that is not about the key", async () => {
    const body = { error_code: "access_deny", error_message: "app: x is currently deactivated by the owner" };
    const url = await startCoze((request, respond) =>
      request.method === "POST" ? Response.json(body, { status: 403 }) : respond(),
    );
    expect(await failures(url)).toMatchObject([
      {
        name: "exchange",
        detail: expect.stringMatching(/Is it an OAuth app of type JWT, and active\? Coze says: app: x is/),
      },
    ]);
  });

  it.each([
    [4100, /same region/],
    [4101, /Give the app the permission/],
    [700_012_006, /same region/],
    [4200, /Check the id/],
  ])("explains code %i for the bot", async (code, hint) => {
    const found = await failures(await startCoze(apiCode("/v1/bots/7379", code)), BOT);
    expect(found).toMatchObject([
      { name: "bot 7379", detail: expect.stringMatching(`code ${code}: said so`), hint: expect.stringMatching(hint) },
    ]);
  });

  it("finds a token that Coze's API does not accept, but not one that may not read the user", async () => {
    expect(await failures(await startCoze(apiCode("/v1/users/me", 4100)))).toMatchObject([{ name: "token at Coze" }]);
    const found = await examine(await startCoze(apiCode("/v1/users/me", 4101)));
    expect(found.find(({ name }) => name === "token at Coze")).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/4101/),
    });
  });

  it.each<[what: string, response: () => Response, detail: RegExp]>([
    ["a page", () => new Response("<html>"), /is not Coze's/],
    ["a body without end", () => new Response(endless()), /is not Coze's/],
    ["no response", () => new Response(brokenOff()), /^no response to GET \S+ \(/],
  ])("finds a host that issues tokens, but has %s for Coze's API", async (_what, response, detail) => {
    const url = await startCoze((request, respond) => (request.method === "GET" ? response() : respond()));
    expect(await failures(url)).toMatchObject([{ name: "token at Coze", detail: expect.stringMatching(detail) }]);
  });

  it("calls a timeout a timeout, and waits for a Coze that hangs once", async () => {
    shortenTimeouts(500);
    const startedAt = performance.now();
    const hanging = await startCoze(() => new Promise(() => {}));
    expect(await failures(hanging)).toMatchObject([
      { name: "clock" },
      { name: "exchange", detail: expect.stringMatching(/^upstream_/) },
    ]);
    expect(performance.now() - startedAt).toBeLessThan(900);
    const deaf = await startCoze((request, respond) => (request.method === "GET" ? new Promise(() => {}) : respond()));
    expect(await failures(deaf)).toMatchObject([
      { name: "token at Coze", detail: expect.stringMatching(/^no response to GET \S+ \(timeout\)$/) },
    ]);
  });

  it("shows no piece of the token that Coze's API quotes", async () => {
    const url = await startCoze((request, respond) => {
      const token = request.headers.get("Authorization")?.slice("Bearer ".length) ?? "";
      return request.method === "GET" ? Response.json({ code: 4100, msg: `bad: ${token.slice(4, 40)}` }) : respond();
    });
    expect(await failures(url)).toMatchObject([{ detail: expect.stringMatching(/code 4100: bad: \[secret\]$/) }]);
  });

  it.each<[what: string, document: object, detail: RegExp | undefined]>([
    ["a key set", { keys: [{ kty: "oct", k: "AAAA" }, publicJwk(2048)] }, undefined],
    ["an empty key set", { keys: [] }, /publishes no keys/],
    ["only shared secrets", { keys: [{ kty: "oct", k: "AAAA", alg: "HS256" }] }, /no key that is accepted, only HS256/],
    ["only a short key", { keys: [publicJwk(1024)] }, /no key that is accepted, only RS256/],
    ["only a key for encryption", { keys: [{ ...publicJwk(2048), use: "enc" }] }, /no key that is accepted/],
    ["something else", { message: "hello" }, /lacks/],
  ])("judges the keys of an issuer that publishes %s", async (_what, document, detail) => {
    const jwks_uri = await serveDocument(() => document);
    const found = await checkIssuer({ issuer: "https://login.example.com/", jwks_uri });
    expect(found?.ok).toBe(detail === undefined);
    expect(found?.detail).toMatch(detail ?? /publishes keys: oct, RS256/);
  });

  it("finds an issuer that cannot be reached", async () => {
    const server = await serveOnLoopback(() => new Response());
    await server.close();
    const found = await checkIssuer({ issuer: "https://login.example.com/", jwks_uri: server.url });
    expect(found).toMatchObject({ ok: false, detail: expect.stringMatching(/ECONNREFUSED/) });
  });

  it("finds an issuer whose discovery document names another one, and one that hangs", async () => {
    const issuer = await serveDocument((url) => ({ issuer: `${url}/`, jwks_uri: `${url}/keys` }));
    expect(await checkIssuer({ issuer })).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/names another issuer/),
      hint: expect.stringMatching(/the slash at the end counts/),
    });

    shortenTimeouts(100);
    const hanging = await serveDocument(() => new Promise(() => {}));
    expect(await checkIssuer({ issuer: hanging })).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/fetched: timeout$/),
    });
  });
});
