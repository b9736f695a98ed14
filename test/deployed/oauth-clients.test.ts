import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Coze, createCoze } from "../../tools/emulator/client.ts";
import { startEmulator } from "../../tools/emulator/server.ts";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { buildWorker } from "../../tools/workerd/worker-bundle.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";
import { createTestIssuer, sharedKey, type TestIssuer } from "../support/issuer.ts";
import { createIssuers } from "../support/issuer-server.ts";
import { ACCESS_TOKEN_TYPE, JWT_BEARER, JWT_TYPE, TOKEN_EXCHANGE } from "../support/oauth.ts";
import { serve } from "../support/stand-in-server.ts";
import { sendRaw } from "./fuzz/raw-http.ts";

const CLIENT_ID = "1127";
const KID = "kid";
const CALLER = "nightly-report";
const PLAIN_KEY = "ctw_K5pXz0m3Qy7vT1nB8cRf2wJd6hGs4aLe9uYiOxPqVtE";
/** A library has to encode this one. */
const ODD_KEY = "50% of a:b+c/d=é";
const keyPair = createKeyPair();

const resources = new AsyncDisposableStack();
let coze: Coze;
let issuer: TestIssuer;
let closed: Workerd;
let open: Workerd;
let jwt: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-oauth-"));
  resources.defer(() => rm(folder, { recursive: true }));
  const { script } = await buildWorker(folder);
  const emulator = resources.adopt(await startEmulator(), (server) => server.close());
  const issuers = resources.adopt(await serve(createIssuers()), (server) => server.close());
  coze = createCoze(emulator.url);
  await coze.registerApp(CLIENT_ID, [KID], keyPair.publicKey);
  issuer = await createTestIssuer({ issuersUrl: issuers.url, keys: [await sharedKey("ES256")] });
  jwt = await issuer.sign({ aud: "api", sub: "ada" });

  const vars = { CLIENT_ID, KID, PRIVATE_KEY: keyPair.privateKey, TOKEN_ENDPOINT: coze.tokenEndpoint };
  const callers = [
    { name: CALLER, key_sha256: sha256Hex(PLAIN_KEY) },
    { name: "odd", key_sha256: sha256Hex(ODD_KEY) },
    { name: "web", issuer: issuer.issuer, audience: "api" },
    { name: "visitors", anonymous: true },
  ];
  open = resources.adopt(await startWorkerd({ script, vars }), (worker) => worker.close());
  const closedVars = { ...vars, CALLERS: callers };
  closed = resources.adopt(await startWorkerd({ script, vars: closedVars }), (worker) => worker.close());
});

afterAll(() => resources.disposeAsync());

beforeEach(() => coze.forgetExchanges());

/** Checks that a token is one that Coze takes, and that it is this user's. */
async function expectTokenOf(user: string | undefined, response: { access_token: string; expires_in?: number }) {
  expect(await coze.accepts(response.access_token)).toBe(true);
  expect(response).toMatchObject({ token_type: "bearer", expires_in: expect.any(Number) });
  expect(response.expires_in).toBeGreaterThan(800);
  expect(response.expires_in).toBeLessThanOrEqual(900);
  expect((await coze.exchanges()).map(({ assertion }) => assertion?.claims["session_name"])).toEqual([user]);
}

describe("oauth4webapi", () => {
  const options = { [oauth.allowInsecureRequests]: true };

  async function discover({ url }: Workerd): Promise<oauth.AuthorizationServer> {
    const issuerUrl = new URL(url);
    const response = await oauth.discoveryRequest(issuerUrl, { ...options, algorithm: "oauth2" });
    return oauth.processDiscoveryResponse(issuerUrl, response);
  }

  it("gets a token in oauth4webapi with client credentials, by HTTP Basic", async () => {
    const server = await discover(closed);
    const client = { client_id: "odd" };
    const auth = oauth.ClientSecretBasic(ODD_KEY);
    const parameters = { user_id: "basic", scope: "Connector.botChat" };
    const response = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters, options);
    await expectTokenOf("basic", await oauth.processClientCredentialsResponse(server, client, response));
  });

  it("gets a token of an open service in oauth4webapi without a credential", async () => {
    const server = await discover(open);
    const client = { client_id: "any" };
    const response = await oauth.clientCredentialsGrantRequest(server, client, oauth.None(), {}, options);
    await expectTokenOf(undefined, await oauth.processClientCredentialsResponse(server, client, response));
  });

  it.each([
    [TOKEN_EXCHANGE, "exchange", (token: string) => ({ subject_token: token, subject_token_type: JWT_TYPE })],
    [JWT_BEARER, "bearer", (token: string) => ({ assertion: token })],
  ])("gets a token in oauth4webapi with %s", async (grantType, user, parametersFor) => {
    const server = await discover(closed);
    const client = { client_id: "page" };
    const parameters = parametersFor(await issuer.sign({ aud: "api", sub: user }));
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      oauth.None(),
      grantType,
      parameters,
      options,
    );
    const result = await oauth.processGenericTokenEndpointResponse(server, client, response);
    await expectTokenOf(user, result);
    expect(result["issued_token_type"]).toBe(grantType === TOKEN_EXCHANGE ? ACCESS_TOKEN_TYPE : undefined);
  });

  it("reports in oauth4webapi a wrong key as a challenge, and a wrong JWT as an OAuth error", async () => {
    const server = await discover(closed);
    const client = { client_id: CALLER };
    const wrongKey = oauth.ClientSecretBasic("wrong");
    const challenged = await oauth.clientCredentialsGrantRequest(server, client, wrongKey, {}, options);
    await expect(oauth.processClientCredentialsResponse(server, client, challenged)).rejects.toMatchObject({
      name: "WWWAuthenticateChallengeError",
      cause: [{ scheme: "basic", parameters: { realm: "coze-token-worker" } }],
    });

    const assertion = { assertion: `${jwt}x` };
    const request = oauth.genericTokenEndpointRequest(server, client, oauth.None(), JWT_BEARER, assertion, options);
    await expect(oauth.processGenericTokenEndpointResponse(server, client, await request)).rejects.toMatchObject({
      name: "ResponseBodyError",
      error: "invalid_grant",
      status: 400,
    });
  });
});

describe("openid-client", () => {
  function discover({ url }: Workerd, clientId: string, auth: openid.ClientAuth): Promise<openid.Configuration> {
    return openid.discovery(new URL(url), clientId, undefined, auth, {
      algorithm: "oauth2",
      execute: [openid.allowInsecureRequests],
    });
  }

  it("gets a token in openid-client with client credentials", async () => {
    const config = await discover(closed, CALLER, openid.ClientSecretBasic(PLAIN_KEY));
    await expectTokenOf("basic-2", await openid.clientCredentialsGrant(config, { user_id: "basic-2" }));
  });

  it.each([
    [TOKEN_EXCHANGE, "exchange-2", (token: string) => ({ subject_token: token, subject_token_type: JWT_TYPE })],
    [JWT_BEARER, "bearer-2", (token: string) => ({ assertion: token })],
  ])("gets a token in openid-client with %s", async (grantType, user, parametersFor) => {
    const config = await discover(closed, "page", openid.None());
    const parameters = parametersFor(await issuer.sign({ aud: "api", sub: user }));
    await expectTokenOf(user, await openid.genericGrantRequest(config, grantType, parameters));
  });

  it("tells openid-client to use HTTP Basic when it sends the key in the body, its default", async () => {
    const config = await discover(closed, CALLER, openid.ClientSecretPost(PLAIN_KEY));
    await expect(openid.clientCredentialsGrant(config)).rejects.toMatchObject({
      name: "ResponseBodyError",
      status: 400,
      error_description: expect.stringContaining("send the API key in the header Authorization, as Basic or Bearer"),
    });
  });
});

describe("docs/oauth.md", () => {
  it("gets a token with each curl line of docs/oauth.md", async () => {
    const markdown = await readFile(join(import.meta.dirname, "../../docs/oauth.md"), "utf8");
    const blocks = Array.from(markdown.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = ""]) => block);
    const commands = blocks
      .join("\n")
      .replaceAll("https://token.example.com", closed.url)
      .split(/\n{2,}/);
    expect(commands).toHaveLength(5);
    for (const command of commands) {
      // As in a terminal; the key is one that needs no encoding, like those of `npm run keygen`.
      const env = { ...process.env, API_KEY: PLAIN_KEY, JWT: jwt };
      const { stdout } = await promisify(execFile)("bash", ["-c", command.replace("curl", "curl -s")], { env });
      expect(JSON.parse(stdout)).toMatchObject({ token_type: "Bearer", expires_in: expect.any(Number) });
    }
  });
});

describe("the metadata", () => {
  it("derives the OAuth issuer from Host, and refuses a Host that makes no URL", async () => {
    const port = Number(new URL(open.url).port);
    const get = (host: string) => {
      const head = [
        "GET /.well-known/oauth-authorization-server HTTP/1.1",
        `Host: ${host}`,
        "Connection: close",
        "",
        "",
      ];
      return sendRaw({ port, bytes: head.join("\r\n"), isUnfinished: false, isHead: false });
    };
    expect(await get("token.example.com")).toMatchObject({
      status: 200,
      text: expect.stringContaining('"token_endpoint":"http://token.example.com/oauth2/token"'),
    });
    expect(await get("[")).toMatchObject({ status: 400, text: expect.stringContaining("The header Host is invalid.") });
  });
});
