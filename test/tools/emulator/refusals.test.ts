import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import {
  APP_NAME,
  AUDIENCE,
  type Bend,
  CLIENT_ID,
  type ExchangeOptions,
  GRANT_TYPE,
  keyPair,
  nowInSeconds,
  type Rig,
  signAssertion,
  startRig,
  TOKEN_PATH,
} from "./harness.ts";

const otherPair = createKeyPair();
const OTHER_KID = "key-of-another-app";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
  const keys = [{ kid: OTHER_KID, public_key: otherPair.publicKey }];
  await rig.control("POST", "/apps", { client_id: "2", keys });
});
afterAll(() => rig.close());

const KID_NOT_REGISTERED = "invalid jwt: kid not been registred";
const INVALID = "verify jwt token error";
const MISSING = "verify jwt empty error";

describe("an assertion is refused with invalid_client", () => {
  const now = nowInSeconds();
  const byOtherKey = { privateKey: otherPair.privateKey };

  it.each<[because: string, message: string, problem: string, exchange: () => ExchangeOptions]>([
    ["alg is none", INVALID, "alg: ", () => ({ assertion: unsigned({ alg: "none" }) })],
    ["alg is HS256, keyed with the public key", INVALID, "alg: ", () => ({ assertion: hmacSigned() })],
    ["alg is RS384", INVALID, "alg: ", bent({ header: { alg: "RS384" } })],
    ["alg is PS256", INVALID, "alg: ", bent({ header: { alg: "PS256" } })],
    ["typ is missing", INVALID, "typ: ", bent({ header: { typ: undefined } })],
    ["typ is another", INVALID, "typ: ", bent({ header: { typ: "at+jwt" } })],
    ["kid is missing", INVALID, "kid: ", bent({ header: { kid: undefined } })],
    ["kid is not a string", INVALID, "kid: ", bent({ header: { kid: 1 } })],
    ["kid is unknown", KID_NOT_REGISTERED, "kid: ", bent({ header: { kid: "x" } })],
    ["kid is that of another app", KID_NOT_REGISTERED, "kid: ", bent({ header: { kid: OTHER_KID }, ...byOtherKey })],
    ["iss is unknown", KID_NOT_REGISTERED, "iss: ", bent({ claims: { iss: "3" } })],
    ["iss is missing", KID_NOT_REGISTERED, "iss: ", bent({ claims: { iss: undefined } })],
    ["iss is a number", KID_NOT_REGISTERED, "iss: ", bent({ claims: { iss: Number(CLIENT_ID) } })],
    ["aud is the other region", KID_NOT_REGISTERED, "aud: ", bent({ claims: { aud: "api.coze.com" } })],
    ["aud has a scheme", KID_NOT_REGISTERED, "aud: ", bent({ claims: { aud: "https://api.coze.cn" } })],
    ["aud is a list", KID_NOT_REGISTERED, "aud: ", bent({ claims: { aud: [AUDIENCE] } })],
    ["aud is missing", KID_NOT_REGISTERED, "aud: ", bent({ claims: { aud: undefined } })],
    ["another key signed it", INVALID, "wrong signature", bent(byOtherKey)],
    ["its claims were changed after signing", INVALID, "wrong signature", () => ({ assertion: tampered() })],
    ["it has no signature", INVALID, "wrong signature", () => ({ assertion: unsigned({ alg: "RS256" }) })],
    ["it has expired", INVALID, "exp: is over", bent({ claims: { iat: now - 600, exp: now - 1 } })],
    ["exp is iat", INVALID, "exp: is not later than iat", bent({ claims: { iat: now + 9, exp: now + 9 } })],
    ["exp is before iat", INVALID, "exp: is not later than iat", bent({ claims: { iat: now, exp: now - 1 } })],
    ["exp is missing", INVALID, "exp: ", bent({ claims: { exp: undefined } })],
    ["exp is a string", INVALID, "exp: ", bent({ claims: { exp: `${now + 600}` } })],
    ["exp is not whole", INVALID, "exp: ", bent({ claims: { exp: now + 600.5 } })],
    ["iat is missing", INVALID, "iat: ", bent({ claims: { iat: undefined } })],
    ["iat is a string", INVALID, "iat: ", bent({ claims: { iat: `${now}` } })],
    ["iat is in the future", INVALID, "iat: is in the future", bent({ claims: { iat: now + 300, exp: now + 900 } })],
    ["jti is missing", INVALID, "jti: ", bent({ claims: { jti: undefined } })],
    ["jti is empty", INVALID, "jti: ", bent({ claims: { jti: "" } })],
    ["jti is a number", INVALID, "jti: ", bent({ claims: { jti: 1 } })],
    ["session_name is a number", INVALID, "session_name: ", bent({ claims: { session_name: 7 } })],
    ["session_context is no object", INVALID, "session_context: ", bent({ claims: { session_context: "x" } })],
    ["the header is empty", MISSING, "authorization: ", () => ({ headers: { Authorization: "" } })],
    ["Bearer stands alone", MISSING, "authorization: ", () => ({ headers: { Authorization: "Bearer " } })],
    [
      "the scheme is another",
      MISSING,
      "authorization: ",
      () => ({ headers: { Authorization: `Basic ${signAssertion()}` } }),
    ],
    [
      "Bearer is glued to it",
      MISSING,
      "authorization: ",
      () => ({ headers: { Authorization: `Bearer${signAssertion()}` } }),
    ],
    [
      "Bearer is in lower case",
      MISSING,
      "authorization: ",
      () => ({ headers: { Authorization: `bearer ${signAssertion()}` } }),
    ],
    ["the scheme is left out", MISSING, "authorization: ", () => ({ headers: { Authorization: signAssertion() } })],
    ["it is garbage", INVALID, "is not a JWT", () => ({ assertion: "garbage" })],
    ["its parts are garbage", INVALID, "is not a JWT", () => ({ assertion: "a.b.c" })],
    ["it is encrypted", INVALID, "is not a JWT", () => ({ assertion: `${signAssertion()}.x.y` })],
  ])("refuses an assertion with invalid_client because %s: %s", async (_, message, problem, exchange) => {
    await rig.control("DELETE", "/exchanges");

    const response = await rig.exchange(exchange());

    await expectRefusal(response, 401, "invalid_client", message);
    expect(await rig.exchanges()).toMatchObject([
      {
        status: 401,
        error_code: "invalid_client",
        access_token_sha256: null,
        problem: expect.stringContaining(problem),
      },
    ]);
  });

  it("refuses an exchange without an Authorization header with invalid_client", async () => {
    const response = await fetch(rig.url + TOKEN_PATH, { method: "POST" });

    await expectRefusal(response, 401, "invalid_client", MISSING);
  });

  it("refuses an assertion that was used before", async () => {
    const assertion = signAssertion();

    expect((await rig.exchange({ assertion })).status).toBe(200);
    await expectRefusal(await rig.exchange({ assertion }), 401, "invalid_client", INVALID);
  });

  it("refuses an assertion whose jti was used before, in another assertion", async () => {
    expect((await rig.exchange({ assertion: signAssertion({ claims: { jti: "again" } }) })).status).toBe(200);
    const second = await rig.exchange({ assertion: signAssertion({ claims: { jti: "again", session_name: "u" } }) });

    await expectRefusal(second, 401, "invalid_client", INVALID);
  });

  it("refuses an assertion that was used up by a request whose body was refused", async () => {
    const assertion = signAssertion();

    expect((await rig.exchange({ assertion, body: {} })).status).toBe(400);
    await expectRefusal(await rig.exchange({ assertion }), 401, "invalid_client", INVALID);
  });

  it("accepts an assertion only once when it arrives many times at once", async () => {
    const assertion = signAssertion();

    const responses = await Promise.all(Array.from({ length: 8 }, () => rig.exchange({ assertion })));

    expect(responses.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
  });

  it("does not use up the jti of a refused assertion", async () => {
    const jti = "unused";
    const forged = signAssertion({ claims: { jti }, privateKey: otherPair.privateKey });

    expect((await rig.exchange({ assertion: forged })).status).toBe(401);
    expect((await rig.exchange({ assertion: signAssertion({ claims: { jti } }) })).status).toBe(200);
  });
});

describe("a body is refused with invalid_request", () => {
  it.each<[because: string, parameter: string, body: unknown]>([
    ["it is not JSON", "body", "grant_type=x"],
    ["it is empty", "body", ""],
    ["it is a list", "body", "[]"],
    ["it is null", "body", "null"],
    ["grant_type is missing", "grant_type", {}],
    ["grant_type is no string", "grant_type", { grant_type: 1 }],
    ["duration_seconds is 0", "duration_seconds", { grant_type: GRANT_TYPE, duration_seconds: 0 }],
    ["duration_seconds is a day", "duration_seconds", { grant_type: GRANT_TYPE, duration_seconds: 86_400 }],
    ["duration_seconds is not whole", "duration_seconds", { grant_type: GRANT_TYPE, duration_seconds: 1.5 }],
    ["duration_seconds is a string", "duration_seconds", { grant_type: GRANT_TYPE, duration_seconds: "900" }],
    ["duration_seconds is null", "duration_seconds", { grant_type: GRANT_TYPE, duration_seconds: null }],
    ["scope is a string", "scope", { grant_type: GRANT_TYPE, scope: "Connector.botChat" }],
    ["scope is a list", "scope", { grant_type: GRANT_TYPE, scope: [] }],
    ["scope has an unknown property", "scope", { grant_type: GRANT_TYPE, scope: { account_permissions: {} } }],
    [
      "a permission has an unknown property",
      "scope",
      {
        grant_type: GRANT_TYPE,
        scope: { account_permission: { permission_list: [], bots: [] } },
      },
    ],
    [
      "a permission is no string",
      "scope",
      {
        grant_type: GRANT_TYPE,
        scope: { account_permission: { permission_list: [1] } },
      },
    ],
    [
      "a bot list is no list",
      "scope",
      {
        grant_type: GRANT_TYPE,
        scope: { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: "7" } } },
      },
    ],
  ])("refuses a body with invalid_request because %s", async (_, parameter, body) => {
    const response = await rig.exchange({ body });

    await expectRefusal(response, 400, "invalid_request", `invalid request: ${parameter}`);
  });

  it.each(["application/x-www-form-urlencoded", "text/plain", "application/jsonp"])(
    "refuses a body with invalid_request because its type is %s",
    async (type) => {
      const response = await rig.exchange({ headers: { "Content-Type": type } });

      await expectRefusal(response, 400, "invalid_request", "invalid request: Content-Type");
    },
  );
});

describe("other refusals", () => {
  it.each(["client_credentials", ""])("refuses the grant type %j with unsupported_grant_type", async (grant_type) => {
    const response = await rig.exchange({ body: { grant_type } });

    await expectRefusal(response, 400, "unsupported_grant_type", `not supported grant type: ${grant_type}`);
  });

  it("refuses exchanges with access_deny while the owner has deactivated the app", async () => {
    await rig.control("PATCH", `/apps/${CLIENT_ID}`, { active: false });
    const refused = await rig.exchange();
    await rig.control("PATCH", `/apps/${CLIENT_ID}`, { active: true });
    const accepted = await rig.exchange();

    await expectRefusal(refused, 403, "access_deny", `app: ${APP_NAME} is currently deactivated by the owner`);
    expect(accepted.status).toBe(200);
  });

  it("checks the assertion of an exchange before its body", async () => {
    const response = await rig.exchange({ assertion: "garbage", body: "garbage" });

    await expectRefusal(response, 401, "invalid_client", INVALID);
  });

  it.each([
    ["GET", "/api/permission/oauth2/token"],
    ["POST", "/api/permission/oauth2/account/token"],
    ["POST", "/v1/users/me"],
    ["GET", "/v3/chat"],
    ["GET", "/"],
  ])("responds with 404 and 4200 to the unknown %s %s", async (method, path) => {
    const response = await fetch(rig.url + path, { method });

    expect(response.status).toBe(404);
    const logid = response.headers.get("x-tt-logid");
    expect(logid).toMatch(/^\d{14}[\dA-F]{20}$/);
    expect(await response.json()).toEqual({ code: 4200, msg: "resource not found", detail: { logid } });
  });
});

async function expectRefusal(response: Response, status: number, code: string, message: string) {
  expect(await response.json()).toEqual({ error_code: code, error_message: message, error: code });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(response.headers.get("x-tt-logid")).toMatch(/^\d{14}[\dA-F]{20}$/);
}

/** An exchange with a bent assertion, which is signed when the exchange is made. */
function bent(bend: Bend): () => ExchangeOptions {
  return () => ({ assertion: signAssertion(bend) });
}

function unsigned(header: { alg: string }): string {
  return `${signAssertion({ header }).split(".").slice(0, 2).join(".")}.`;
}

/** The classic confusion: the public key used as the secret of an HMAC. */
function hmacSigned(): string {
  const signed = signAssertion({ header: { alg: "HS256" } })
    .split(".")
    .slice(0, 2)
    .join(".");
  return `${signed}.${createHmac("sha256", keyPair.publicKey).update(signed).digest("base64url")}`;
}

function tampered(): string {
  const [header, , signature] = signAssertion().split(".");
  const [, claims] = signAssertion({ claims: { session_name: "somebody else" } }).split(".");
  return [header, claims, signature].join(".");
}
