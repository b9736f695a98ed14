import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { API_KEY, expectRefusal, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { recordLog } from "../../support/log.ts";
import {
  ACCESS_TOKEN_TYPE,
  assertionOf,
  basic,
  CLIENT_CREDENTIALS,
  exchangeOf,
  form,
  type Parameters,
  requestToken,
} from "../../support/oauth.ts";
import { fromAddress, limiterOf } from "../../support/rate-limiter.ts";
import { json, propertiesOf, startWorker, type TestWorker } from "../../support/worker.ts";

const OTHER_KEY = `${API_KEY}-other`;
const byClient = { grant_type: CLIENT_CREDENTIALS };
const byKey = { Authorization: `Bearer ${API_KEY}` };

let app: TestApp;
let issuer: TestIssuer;
let worker: TestWorker;
let jwt: string;

beforeAll(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer();
  jwt = await issuer.sign({ aud: "api", sub: "ada" });
  worker = await startWorker({ ...app.settings, CALLERS: callers() });
});

afterEach(() => {
  vi.restoreAllMocks();
});

const callers = () => [
  { name: "script", key_sha256: sha256(API_KEY), max_duration: 300, permissions: ["Connector.botChat"] },
  { name: "other", key_sha256: sha256(OTHER_KEY) },
  { name: "web", issuer: issuer.issuer, audience: "api", origins: ["https://app.example.com"] },
  { name: "visitors", anonymous: true },
];
const refusal = (error: string, status: number, description: string) => ({ error, status, description });
const invalidRequest = (description: string) => refusal("invalid_request", 400, description);
const invalidScope = (description: string) => refusal("invalid_scope", 400, description);

describe("the body of a token request", () => {
  it.each<[string, RequestInit, ReturnType<typeof refusal>]>([
    ["none", { method: "POST" }, invalidRequest("grant_type is missing")],
    ["an empty grant_type", form("grant_type="), invalidRequest("grant_type is missing")],
    [
      "JSON",
      { method: "POST", ...json(byClient) },
      refusal("unsupported_media_type", 415, "application/x-www-form-urlencoded"),
    ],
    ["multipart", { method: "POST", body: new FormData() }, refusal("unsupported_media_type", 415, "must be a form")],
    ["16 KiB and a byte", form(`x=${"a".repeat(16_383)}`), refusal("payload_too_large", 413, "16384 bytes")],
    [
      "bytes that are not UTF-8",
      { ...form(""), body: new Uint8Array([0x78, 0x3d, 0xff]) },
      invalidRequest("not a valid form"),
    ],
    [
      "broken percent-encoding",
      { ...form(""), body: "grant_type=client_credentials&user_id=a%zz" },
      invalidRequest("not a valid form"),
    ],
    [
      "a repeated parameter",
      form("grant_type=client_credentials&user_id=ada&user_id=bob"),
      invalidRequest("The parameter user_id is repeated"),
    ],
    ["a repeated parameter without values", form("x=&x="), invalidRequest("The parameter x is repeated")],
    [
      "a repeated parameter whose name may be a secret",
      form(`${API_KEY}=&${API_KEY}=`),
      invalidRequest("A parameter is repeated"),
    ],
    [
      "another grant",
      form({ grant_type: "password" }),
      refusal(
        "unsupported_grant_type",
        400,
        "client_credentials, urn:ietf:params:oauth:grant-type:token-exchange, urn:",
      ),
    ],
  ])("refuses the body of an OAuth token request: %s", async (_what, init, expected) => {
    await expectRefusal(await worker.fetch("/oauth2/token", init), app, expected);
  });

  it("reads no OAuth parameter from the query", async () => {
    const inQuery = await worker.fetch(`/oauth2/token?${new URLSearchParams(byClient)}`, { method: "POST" });
    await expectRefusal(inQuery, app, invalidRequest("grant_type is missing"));
    const user = await worker.fetch("/oauth2/token?user_id=ada", form({ ...byClient, user_id: "ada" }, byKey));
    await expectRefusal(user, app, invalidRequest("send user_id as the header X-User-ID"));
  });
});

describe("a grant with a JWT", () => {
  it.each<[string, () => Parameters | Promise<Parameters>, object, ReturnType<typeof refusal>]>([
    ["no assertion", () => assertionOf(""), {}, invalidRequest("assertion is missing")],
    ["no subject_token", () => exchangeOf(""), {}, invalidRequest("subject_token is missing")],
    [
      "no subject_token_type",
      () => exchangeOf(jwt, { subject_token_type: "" }),
      {},
      invalidRequest("subject_token_type is missing"),
    ],
    [
      "a subject_token that is no JWT",
      () => exchangeOf(jwt, { subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }),
      {},
      invalidRequest("subject_token_type must be"),
    ],
    [
      "another token in return",
      () => exchangeOf(jwt, { requested_token_type: "urn:ietf:params:oauth:token-type:jwt" }),
      {},
      invalidRequest(`requested_token_type must be ${ACCESS_TOKEN_TYPE}`),
    ],
    ...["actor_token", "actor_token_type", "audience", "resource"].map(
      (name): [string, () => Parameters, object, ReturnType<typeof refusal>] => [
        name,
        () => exchangeOf(jwt, { [name]: "x" }),
        {},
        invalidRequest(`${name} is not supported`),
      ],
    ),
    ["a second identity", () => exchangeOf(jwt), byKey, invalidRequest("Leave out the header Authorization")],
    [
      "a second, invalid identity",
      () => assertionOf(jwt),
      basic("script", "x"),
      invalidRequest("Leave out the header Authorization"),
    ],
    ["an API key as subject_token", () => exchangeOf(API_KEY), {}, refusal("invalid_grant", 400, "is not a JWT")],
    ["an API key as assertion", () => assertionOf(API_KEY), {}, refusal("invalid_grant", 400, "is not a JWT")],
    ["garbage", () => assertionOf("x"), {}, refusal("invalid_grant", 400, "nor a JWT it trusts")],
    [
      "another audience",
      async () => assertionOf(await issuer.sign({ aud: "else", sub: "ada" })),
      {},
      refusal("invalid_grant", 400, "audience"),
    ],
    [
      "an expired JWT",
      async () => exchangeOf(await issuer.sign({ aud: "api", sub: "ada", exp: 1 })),
      {},
      refusal("invalid_grant", 400, "it has expired"),
    ],
    [
      "no usable user",
      async () => exchangeOf(await issuer.sign({ aud: "api" })),
      {},
      refusal("access_denied", 403, "no usable user id"),
    ],
    [
      "another user",
      () => exchangeOf(jwt, { user_id: "bob" }),
      {},
      refusal("access_denied", 403, "The parameter user_id names another user"),
    ],
    [
      "a page of another origin",
      () => exchangeOf(jwt),
      { Origin: "https://evil.example" },
      refusal("access_denied", 403, "may not use the caller web"),
    ],
    [
      "client_secret",
      () => exchangeOf(jwt, { client_id: "script", client_secret: API_KEY }),
      {},
      invalidRequest("client_secret is not supported"),
    ],
  ])("refuses a grant with a JWT: %s", async (_what, parameters, headers, expected) => {
    await expectRefusal(await requestToken(worker, await parameters(), headers), app, expected);
  });

  it("responds with issuer_unavailable to an assertion whose issuer is down", async () => {
    const settings = { CALLERS: [{ name: "web", issuer: "http://127.0.0.1:9", audience: "api" }] };
    const away = await startWorker({ ...app.settings, ...settings });
    const response = await requestToken(
      away,
      assertionOf(await issuer.sign({ iss: "http://127.0.0.1:9", aud: "api" })),
    );
    await expectRefusal(response, app, refusal("issuer_unavailable", 503, "could not be fetched"));
  });

  it.each<[string, () => object]>([
    ["open", () => ({})],
    ["closed, with API keys alone", () => ({ CALLERS: callers().slice(0, 2) })],
  ])("refuses JWT grants where no caller has a JWT: %s", async (_what, settings) => {
    const response = await requestToken(await startWorker({ ...app.settings, ...settings() }), exchangeOf(jwt));
    await expectRefusal(response, app, refusal("unsupported_grant_type", 400, "this service are: client_credentials."));
  });
});

describe("client_credentials", () => {
  it.each<[string, Parameters, object, string]>([
    ["an unknown key", byClient, basic("script", `${API_KEY}x`), "neither an API key"],
    ["a key and the name of another caller", byClient, basic("script", OTHER_KEY), "client_id is not the name"],
    ["a key and the name in another case", byClient, basic("Script", API_KEY), "client_id is not the name"],
    ["a key without a name", byClient, basic("", API_KEY), "client_id is not the name"],
    ["a name without a key, like a visitor's", byClient, basic("visitors", ""), "neither an API key"],
    ["a JWT with the name of its caller in another case", byClient, basic("WEB", "x.y.z"), "neither an API key"],
    ["a broken header", byClient, { Authorization: "Basic" }, "the base64 of name:key"],
    ["a key with broken percent-encoding", byClient, basic("script", `${API_KEY}%`), "the base64 of name:key"],
    ["a key of 20 KB", byClient, basic("script", "x".repeat(20_000)), "too long to be one"],
  ])("challenges with Basic when HTTP Basic has %s", async (_what, parameters, headers, description) => {
    const response = await requestToken(worker, parameters, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get("WWW-Authenticate")).toBe('Basic realm="coze-token-worker"');
    expect(await propertiesOf(response)).toMatchObject({
      error: "invalid_client",
      error_description: expect.stringContaining(description),
    });
    expect(await app.exchanges()).toEqual([]);
  });

  it.each<[string, Parameters, object, ReturnType<typeof refusal>]>([
    [
      "an unknown key as Bearer",
      byClient,
      { Authorization: "Bearer x" },
      refusal("invalid_client", 401, "neither an API key"),
    ],
    [
      "client_secret",
      { ...byClient, client_id: "script", client_secret: API_KEY },
      {},
      invalidRequest("client_secret is not supported: send the API key in the header Authorization"),
    ],
    [
      "client_assertion",
      { ...byClient, client_assertion: "x.y.z" },
      {},
      invalidRequest("client_assertion is not supported"),
    ],
    [
      "a client_id that differs",
      { ...byClient, client_id: "other" },
      basic("script", API_KEY),
      invalidRequest("client_id is not the name"),
    ],
    [
      "two users",
      { ...byClient, user_id: "ada" },
      { ...byKey, "X-User-ID": "bob" },
      invalidRequest("name different users"),
    ],
    [
      "a user and an empty header",
      { ...byClient, user_id: "ada" },
      { ...byKey, "X-User-ID": "" },
      invalidRequest("name different users"),
    ],
    [
      "a user of other characters",
      { ...byClient, user_id: "用户" },
      byKey,
      invalidRequest("The parameter user_id holds characters"),
    ],
    [
      "a user that is too long",
      { ...byClient, user_id: "x".repeat(129) },
      byKey,
      invalidRequest("The parameter user_id is longer"),
    ],
    [
      "more scope than granted",
      { ...byClient, scope: "Connector.botChat x" },
      byKey,
      invalidScope("asks for more than is granted"),
    ],
    ["two spaces in the scope", { ...byClient, scope: "a  b" }, byKey, invalidScope("one space between")],
    ["quotes in the scope", { ...byClient, scope: 'a"b' }, byKey, invalidScope("one space between")],
    ["a scope of 3 KB", { ...byClient, scope: "x".repeat(3000) }, byKey, invalidScope("at most 2048 bytes")],
    ["a longer life", { ...byClient, duration_seconds: "301" }, byKey, invalidScope("300 seconds")],
    [
      "no number of seconds",
      { ...byClient, duration_seconds: "1e2" },
      byKey,
      invalidRequest("duration_seconds must be a whole number"),
    ],
  ])("refuses client_credentials: %s", async (_what, parameters, headers, expected) => {
    await expectRefusal(await requestToken(worker, parameters, headers), app, expected);
  });

  it("refuses client_credentials without a credential where no caller is anonymous", async () => {
    const closed = await startWorker({ ...app.settings, CALLERS: callers().slice(0, 3) });
    const response = await requestToken(closed, { ...byClient, client_id: "script" });
    await expectRefusal(response, app, refusal("invalid_client", 401, "A credential is required"));
  });

  it("responds to client_credentials with server_misconfigured while settings are wrong", async () => {
    const response = await requestToken(await startWorker({ ...app.settings, KID: "" }), byClient);
    expect(response.status).toBe(500);
    expect(await propertiesOf(response)).toMatchObject({
      error: "server_misconfigured",
      problems: [{ setting: "KID" }],
    });
  });
});

describe("every refusal", () => {
  it("counts and logs refused OAuth requests as POST / does", async () => {
    const log = recordLog();
    const limiter = limiterOf(4);
    const limited = await startWorker({ ...app.settings, CALLERS: callers(), RATE_LIMITER: limiter });
    const send = async (parameters: Parameters, headers: object = {}) =>
      (await limited.fetch("/oauth2/token", fromAddress("203.0.113.7", form(parameters, headers)))).status;

    expect(await send("x=%zz")).toBe(400);
    expect(await send({ grant_type: "password" })).toBe(400);
    expect(await send(assertionOf("hunter2"))).toBe(400);
    expect(await send(byClient, basic("script", "hunter2"))).toBe(401);
    expect(await send(exchangeOf("hunter2"))).toBe(429);
    expect(limiter.keys).toEqual(Array(5).fill("- 203.0.113.7"));
    expect(await send({ ...byClient, user_id: "ada", scope: "hunter2 " }, byKey)).toBe(400);
    expect(limiter.keys.at(-1)).toBe("script ada");

    expect(log.events("token_request").map(({ outcome, error, caller }) => [outcome, error, caller])).toEqual([
      ["refused", "invalid_request", undefined],
      ["refused", "unsupported_grant_type", undefined],
      ["refused", "invalid_grant", undefined],
      ["refused", "invalid_client", undefined],
      ["refused", "rate_limited", undefined],
      ["refused", "invalid_scope", "script"],
    ]);
    expect(log.text()).not.toContain("hunter2");
  });

  it.each(["GET", "HEAD", "PUT"])("responds to %s /oauth2/token with 405 and Allow", async (method) => {
    const response = await worker.fetch("/oauth2/token", { method });
    expect([response.status, response.headers.get("Allow")]).toEqual([405, "POST, OPTIONS"]);
  });
});
