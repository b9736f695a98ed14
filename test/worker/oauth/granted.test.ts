import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { API_KEY, expectGrant, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import {
  ACCESS_TOKEN_TYPE,
  assertionOf,
  basic,
  CLIENT_CREDENTIALS,
  exchangeOf,
  type Parameters,
  requestToken,
} from "../../support/oauth.ts";
import { createTestWidget, SOLVED } from "../../support/turnstile.ts";
import { propertiesOf, startWorker } from "../../support/worker.ts";

/** A key as somebody else may choose it. */
const ODD_KEY = "50% of a:b+c/d=é";

const botChat = { account_permission: { permission_list: ["Connector.botChat"] } };
const both = ["Connector.botChat", "Connector.botManage"];

let app: TestApp;
let issuer: TestIssuer;

beforeEach(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer();
});

afterEach(() => {
  vi.restoreAllMocks();
});

const callers = () => [
  { name: "script", key_sha256: sha256(API_KEY), user_prefix: "script" },
  { name: "odd", key_sha256: sha256(ODD_KEY) },
  { name: "web", issuer: issuer.issuer, audience: "api" },
];
const start = (settings: object = {}) => startWorker({ ...app.settings, CALLERS: callers(), ...settings });
const byClient = { grant_type: CLIENT_CREDENTIALS };

describe("client_credentials", () => {
  it.each<[string, Parameters, object, string]>([
    ["Basic", { ...byClient, user_id: "ada" }, basic("script", API_KEY), "script:ada"],
    [
      "Basic in another case",
      byClient,
      { Authorization: basic("script", API_KEY).Authorization.replace("B", "b") },
      "script:",
    ],
    ["Basic and an equal client_id", { ...byClient, client_id: "script" }, basic("script", API_KEY), "script:"],
    [
      "Basic with percent-encoded parts",
      { ...byClient, user_id: "a" },
      basic("o%64d", encodeURIComponent(ODD_KEY)),
      "a",
    ],
    ["Bearer", { ...byClient, user_id: "ada" }, { Authorization: `Bearer ${API_KEY}` }, "script:ada"],
    ["the bare key", { ...byClient, user_id: "ada" }, { Authorization: API_KEY }, "script:ada"],
    ["Bearer and some client_id", { ...byClient, client_id: "x" }, { Authorization: `Bearer ${API_KEY}` }, "script:"],
  ])("grants client_credentials to an API key by %s", async (_what, parameters, headers, session) => {
    const worker = await start();
    expect(await expectGrant(app, requestToken(worker, parameters, headers))).toMatchObject({ session_name: session });
  });

  it("grants client_credentials to a JWT in each header that POST / reads", async () => {
    const worker = await start();
    const jwt = await issuer.sign({ aud: "api", sub: "ada" });
    for (const headers of [{ Authorization: `Bearer ${jwt}` }, { "Cf-Access-Jwt-Assertion": jwt }]) {
      expect((await requestToken(worker, byClient, headers)).status).toBe(200);
    }
    expect((await app.exchanges()).map(({ assertion }) => assertion.claims["session_name"])).toEqual(["ada"]);
  });

  it.each<[string, Parameters, object, string | undefined]>([
    ["none", byClient, {}, undefined],
    ["an empty parameter", { ...byClient, user_id: "" }, {}, undefined],
    ["a parameter", "grant_type=client_credentials&user_id=Ada+Lovelace%21", {}, "Ada Lovelace!"],
    ["the header", byClient, { "X-User-ID": "ada" }, "ada"],
    ["both, equal", { ...byClient, user_id: "ada" }, { "X-User-ID": "ada" }, "ada"],
  ])("names the user of an OAuth request to an open service: %s", async (_what, parameters, headers, session) => {
    const worker = await startWorker(app.settings);
    expect(await expectGrant(app, requestToken(worker, parameters, headers))).toMatchObject({ session_name: session });
  });

  it.each([
    ["Basic", basic("script", "wrong"), {}],
    ["broken Basic", { Authorization: "Basic !" }, { client_id: "x" }],
    ["a secret in the body", {}, { client_id: "script", client_secret: "wrong" }],
  ])("ignores the credentials of an OAuth request to an open service: %s", async (_what, headers, parameters) => {
    const worker = await startWorker(app.settings);
    expect((await requestToken(worker, { ...byClient, ...parameters }, headers)).status).toBe(200);
  });

  it("grants client_credentials to a visitor for a solved challenge in a parameter", async () => {
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const visitors = { name: "visitors", anonymous: true, turnstile: true };
    const worker = await start({ ...widget.settings, CALLERS: [...callers(), visitors] });
    const parameters = { ...byClient, user_id: "ada", "cf-turnstile-response": "0.solved" };
    expect(await expectGrant(app, requestToken(worker, parameters))).toMatchObject({ session_name: "visitors:ada" });
    expect((await requestToken(worker, parameters)).status).toBe(401);
  });
});

describe("a grant with a JWT", () => {
  it.each([ACCESS_TOKEN_TYPE, "urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"])(
    "exchanges a JWT with the subject_token_type %s",
    async (type) => {
      const worker = await start();
      const jwt = await issuer.sign({ aud: "api", sub: "ada" });
      const parameters = exchangeOf(jwt, { subject_token_type: type, requested_token_type: ACCESS_TOKEN_TYPE });
      const response = await requestToken(worker, parameters);
      expect(await propertiesOf(response)).toMatchObject({ issued_token_type: ACCESS_TOKEN_TYPE });
      expect((await app.exchanges())[0]?.assertion.claims["session_name"]).toBe("ada");
    },
  );

  it("grants a token for an assertion, also with a client_id, an equal user_id and the JWT of Cloudflare Access", async () => {
    const worker = await start();
    const jwt = await issuer.sign({ aud: "api", sub: "ada" });
    const parameters = assertionOf(jwt, { client_id: "some page", user_id: "ada", audience: "ignored" });
    const response = await requestToken(worker, parameters, { "Cf-Access-Jwt-Assertion": "not looked at" });
    expect(Object.keys(await propertiesOf(response))).toEqual(["access_token", "token_type", "expires_in"]);
    expect((await app.exchanges())[0]?.assertion.claims["session_name"]).toBe("ada");
  });
});

describe("the response", () => {
  it("responds with the seconds left in expires_in, and the token and Cache-Status of POST /", async () => {
    const worker = await start();
    const headers = { Authorization: `Bearer ${API_KEY}` };
    const issued = await requestToken(worker, byClient, headers);
    const [, ttl = ""] =
      /^coze-token-worker; fwd=miss; stored; ttl=(\d+)$/.exec(issued.headers.get("Cache-Status") ?? "") ?? [];
    expect(await propertiesOf(issued)).toEqual({
      access_token: expect.stringMatching(/^czs_/),
      token_type: "Bearer",
      expires_in: Number(ttl),
    });
    expect(Number(ttl)).toBeGreaterThan(890);
    expect(Object.fromEntries(issued.headers)).toMatchObject({
      "cache-control": "no-store",
      pragma: "no-cache",
    });

    const later = Date.now() + 100_000;
    vi.spyOn(Date, "now").mockImplementation(() => later);
    const left = Number((await propertiesOf(await requestToken(worker, byClient, headers)))["expires_in"]);
    expect(left).toBeGreaterThan(780);
    expect(left).toBeLessThanOrEqual(Number(ttl) - 100);
    const cozeShaped = await worker.post(undefined, { headers });
    expect(cozeShaped.headers.get("Cache-Status")).toContain("; hit; ");
    expect(await app.exchanges()).toHaveLength(1);
  });

  it("replaces a rejected_token of an OAuth request by a token of the requested duration", async () => {
    const worker = await startWorker(app.settings);
    const parameters = { ...byClient, duration_seconds: "300", minimum_seconds: "100" };
    const { access_token: rejected } = await propertiesOf(await requestToken(worker, parameters));
    const later = Date.now() + 11_000;
    vi.spyOn(Date, "now").mockImplementation(() => later);
    const again = { ...parameters, rejected_token: String(rejected) };
    expect(await expectGrant(app, requestToken(worker, again))).toMatchObject({ duration_seconds: 300 });
  });

  it.each<[string, object, object, object | undefined, string | undefined]>([
    ["nothing is asked for or granted", {}, {}, undefined, undefined],
    ["a scope is asked for", {}, { scope: "Connector.botChat" }, botChat, undefined],
    ["a scope is granted unasked", { TOKEN_SCOPE: botChat }, {}, botChat, "Connector.botChat"],
    [
      "less is asked for than granted",
      { TOKEN_SCOPE: { account_permission: { permission_list: both } } },
      { scope: "Connector.botChat" },
      botChat,
      undefined,
    ],
    [
      "all of it is granted unasked",
      { TOKEN_SCOPE: { account_permission: { permission_list: both } } },
      { scope: "" },
      { account_permission: { permission_list: both } },
      both.join(" "),
    ],
    [
      "only other rights are granted",
      { TOKEN_SCOPE: { workspace_permission: { permission_list: ["x"] } } },
      {},
      { workspace_permission: { permission_list: ["x"] } },
      undefined,
    ],
  ])(
    "returns scope in an OAuth response only if it differs from the request: %s",
    async (_what, settings, parameters, sent, told) => {
      const worker = await startWorker({ ...app.settings, ...settings });
      const response = await requestToken(worker, { ...byClient, ...parameters });
      expect((await propertiesOf(response))["scope"]).toBe(told);
      expect((await app.exchanges()).map(({ body }) => body["scope"])).toEqual([sent]);
    },
  );
});
