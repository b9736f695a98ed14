import { describe, expect, it, onTestFinished } from "vitest";
import { type Config, parseConfig } from "../../../src/config/config.ts";
import { checkLive, type LiveOptions } from "../../../tools/doctor/live.ts";
import { createEmulator } from "../../../tools/emulator/emulator.ts";
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
  const server = await serveOnLoopback(({ url }) => Response.json(document(new URL(url).origin)));
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

/** Responds to the path with a code of Coze's API, as a 200: Coze has both. */
function apiCode(path: string, code: number): Change {
  return (request, respond) =>
    new URL(request.url).pathname === path
      ? Response.json({ code, msg: "said so", detail: { logid: "2026" } })
      : respond();
}

describe("npm run doctor -- --live", () => {
  it("finds nothing wrong where Coze issues a token and accepts it, and shows neither token nor assertion", async () => {
    const found = await examine(await startCoze(apiCode("/v1/bots/7379", 0)), BOT);
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

  it("finds a clock that is not Coze's", async () => {
    const date = (offset: number) => new Date(Date.now() + offset * 1000).toUTCString();
    const url = await startCoze(async (request, respond) =>
      request.method === "HEAD" ? new Response(null, { headers: { Date: date(3600) } }) : respond(),
    );
    expect(await failures(url)).toMatchObject([
      { name: "clock", detail: expect.stringMatching(/^3(599|600|601) s behind/) },
    ]);
  });

  it("finds an endpoint without an address, and one where nothing listens", async () => {
    expect(await failures("https://nowhere.invalid/token")).toMatchObject([{ name: "Coze: DNS" }]);
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
      detail: expect.stringMatching(/The other region refuses it too/),
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

  it("finds a host that issues tokens, but is not Coze's API", async () => {
    const url = await startCoze((request, respond) => (request.method === "GET" ? new Response("<html>") : respond()));
    expect(await failures(url)).toMatchObject([
      { name: "token at Coze", detail: expect.stringMatching(/is not Coze's/) },
    ]);
  });

  it.each([
    ["a key set", { keys: [{ kty: "RSA", alg: "RS256" }] }, undefined],
    ["an empty key set", { keys: [] }, /publishes no keys/],
    ["something else", { message: "hello" }, /lacks/],
  ])("fetches the keys of an issuer that publishes %s", async (_what, document, detail) => {
    const jwks_uri = await serveDocument(() => document);
    const issuer = "https://login.example.com/";
    const CALLERS = [{ name: "users", issuer, audience: "app", jwks_uri }];
    const found = await checkLive(await settings({ TOKEN_ENDPOINT: await startCoze(), CALLERS }));
    const ofIssuer = found.find(({ name }) => name === `issuer ${issuer}`);
    expect(ofIssuer?.ok).toBe(detail === undefined);
    expect(ofIssuer?.detail).toMatch(detail ?? /publishes keys: RS256/);
  });

  it("finds an issuer whose discovery document names another one", async () => {
    const issuer = await serveDocument((url) => ({ issuer: `${url}/`, jwks_uri: `${url}/keys` }));
    const CALLERS = [{ name: "users", issuer, audience: "app" }];
    const found = await checkLive(await settings({ TOKEN_ENDPOINT: await startCoze(), CALLERS }));
    expect(found.find(({ ok }) => !ok)).toMatchObject({
      detail: expect.stringMatching(/names another issuer/),
      hint: expect.stringMatching(/the slash at the end counts/),
    });
  });
});
