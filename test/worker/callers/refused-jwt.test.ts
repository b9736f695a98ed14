import { base64url, type CryptoKey, exportSPKI, importJWK, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { API_KEY, bearer, expectRefusal, invalidClient, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { type Claims, createTestIssuer, sharedKey, type TestIssuer } from "../../support/issuer.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

let app: TestApp;
let issuer: TestIssuer;
let other: TestIssuer;
let callers: readonly object[];
let worker: TestWorker;

const now = Math.floor(Date.now() / 1000);
const valid = { aud: "api", sub: "ada", role: "user", level: 3, active: true, team: "pro-blue" };
const sign = (changes: Claims = {}, header: Claims = {}) => issuer.sign({ ...valid, ...changes }, header);

const encode = (value: unknown) => base64url.encode(typeof value === "string" ? value : JSON.stringify(value));

async function partsOf(jwt: Promise<string>): Promise<[header: string, payload: string, signature: string]> {
  const [header = "", payload = "", signature = ""] = (await jwt).split(".");
  return [header, payload, signature];
}

/** Signs with a shared secret what ought to be signed with the key of the issuer. */
function signWithSecret(secret: string, header = {}): Promise<string> {
  return new SignJWT({ ...valid, iss: issuer.issuer, exp: now + 600 })
    .setProtectedHeader({ alg: "HS256", ...header })
    .sign(new TextEncoder().encode(secret));
}

async function publicPem(): Promise<string> {
  const { jwk } = await sharedKey("RS256");
  return exportSPKI((await importJWK(jwk, "RS256", { extractable: true })) as CryptoKey); // RSA, so no bytes
}

beforeAll(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer({ keys: [await sharedKey("RS256"), await sharedKey("RS256", "second")] });
  other = await createTestIssuer({ keys: [await sharedKey("ES256", "other")] });
  callers = [
    { name: "script", key_sha256: sha256(API_KEY) },
    {
      name: "web",
      issuer: issuer.issuer,
      audience: "api",
      claims: { role: "user", level: 3, active: true, team: { pattern: "pro-[a-z]+" } },
    },
    { name: "partners", issuer: other.issuer, audience: "partner-api", user_prefix: "partners" },
  ];
  worker = await startWorker({ ...app.settings, CALLERS: callers });
});

describe("a JWT caller", () => {
  it("accepts the valid JWT that the rejected ones are made from", async () => {
    const elsewhere = await startWorker({ ...(await createTestApp()).settings, CALLERS: callers });
    expect((await elsewhere.post(undefined, bearer(await sign()))).status).toBe(200);
  });

  const untrusted = "neither an API key of this service nor a JWT it trusts";
  const badForm = "its signature or form is wrong";
  const badKey = "signed with a key that the issuer does not have";
  const badAlgorithm = "its algorithm is not accepted";
  const otherClaims = "audience or the claims of the JWT are not those of any caller";

  it.each<[string, () => Promise<string>, string]>([
    ["alg none", async () => `${encode({ alg: "none" })}.${(await partsOf(sign()))[1]}.`, badAlgorithm],
    [
      "alg none with a signature",
      async () => [encode({ alg: "none" }), ...(await partsOf(sign())).slice(1)].join("."),
      badAlgorithm,
    ],
    ["alg none in capitals", async () => `${encode({ alg: "NONE" })}.${(await partsOf(sign()))[1]}.`, badAlgorithm],
    ["HS256 by the public key as PEM", async () => signWithSecret(await publicPem()), badAlgorithm],
    ["HS256 by the public key as JWK", async () => signWithSecret(JSON.stringify(issuer.keys[0]?.jwk)), badAlgorithm],
    ["HS256 by the modulus", async () => signWithSecret(issuer.keys[0]?.jwk.n ?? ""), badAlgorithm],
    ["HS256 with the kid of the issuer", () => signWithSecret("secret", { kid: "RS256-key" }), badAlgorithm],
    ["no algorithm", async () => [encode({}), ...(await partsOf(sign())).slice(1)].join("."), badForm],
    ["no issuer", () => sign({ iss: undefined }), untrusted],
    ["another issuer", () => sign({ iss: "https://evil.example" }), untrusted],
    ["the issuer with a trailing slash", () => sign({ iss: `${issuer.issuer}/` }), untrusted],
    ["the issuer in capitals", () => sign({ iss: issuer.issuer.toUpperCase() }), untrusted],
    ["issuers in a list", () => sign({ iss: [issuer.issuer] }), untrusted],
    ["the name of one issuer and the key of the other", () => other.sign({ ...valid, iss: issuer.issuer }), badKey],
    ["a valid token that the other issuer made for this service", () => other.sign(valid), otherClaims],
    ["another audience", () => sign({ aud: "API" }), otherClaims],
    ["the audience of another caller", () => sign({ aud: "partner-api" }), otherClaims],
    ["no exp", () => sign({ exp: undefined }), "its claim exp does not hold"],
    ["exp as a string", () => sign({ exp: String(now + 600) }), "its claim exp does not hold"],
    ["expired", () => sign({ exp: now - 60 }), "it has expired"],
    ["expired with a fresh iat", () => sign({ iat: now, exp: now - 6 }), "it has expired"],
    ["not yet valid", () => sign({ nbf: now + 600 }), "its claim nbf does not hold"],
    ["nbf as a string", () => sign({ nbf: "0" }), "its claim nbf does not hold"],
    ["an unknown kid", () => sign({}, { kid: "unknown" }), badKey],
    ["the kid of another issuer", () => sign({}, { kid: "other" }), badKey],
    ["the kid of another key of the issuer", () => sign({}, { kid: "second" }), badForm],
    ["an empty kid", () => sign({}, { kid: "" }), badKey],
    ["no kid where there are several keys", () => sign({}, { kid: undefined }), badForm],
    [
      "a kid and an algorithm that do not belong together",
      async () => issuer.sign(valid, { kid: "RS256-key" }, await sharedKey("PS256", "mine too")),
      badKey,
    ],
    [
      "a key of its own in the header",
      async () => {
        const mine = await sharedKey("ES256", "mine");
        return issuer.sign(valid, { jwk: mine.jwk, jku: "https://evil.example/keys" }, mine);
      },
      badKey,
    ],
    ["an extension that must be understood", critical, badForm],
    [
      "a changed payload",
      async () => {
        const [header, , signature] = await partsOf(sign());
        return [header, encode({ ...valid, iss: issuer.issuer, exp: now + 600, sub: "root" }), signature].join(".");
      },
      badForm,
    ],
    [
      "a changed signature",
      async () => {
        const [header, payload, signature] = await partsOf(sign());
        return [header, payload, (signature.startsWith("A") ? "B" : "A") + signature.slice(1)].join(".");
      },
      badForm,
    ],
    [
      "the signature of another token",
      async () => [...(await partsOf(sign())).slice(0, 2), (await partsOf(sign({ sub: "bob" })))[2]].join("."),
      badForm,
    ],
    ["cut short", async () => (await sign()).slice(0, -10), badForm],
    ["cut within the payload", async () => (await partsOf(sign())).join(".").slice(0, 60), untrusted],
    ["no signature", async () => [...(await partsOf(sign())).slice(0, 2), ""].join("."), badForm],
    ["two parts", async () => (await partsOf(sign())).slice(0, 2).join("."), untrusted],
    ["four parts", async () => `${await sign()}.x`, untrusted],
    ["five parts, as if encrypted", async () => `${await sign()}.x.y`, untrusted],
    ["empty parts", async () => "..", untrusted],
    ["an empty payload", async () => `${encode({ alg: "RS256" })}..x`, untrusted],
    ["JSON that breaks off", async () => `${encode({ alg: "RS256" })}.${encode('{"iss":')}.x`, untrusted],
    ["a payload that is no object", async () => `${encode({ alg: "RS256" })}.${encode("[]")}.x`, untrusted],
    ["a header that is no JSON", async () => `x.${(await partsOf(sign()))[1]}.x`, badForm],
    ["a claim as a list with the right value", () => sign({ role: ["user"] }), otherClaims],
    ["more than a pattern matches, in a line below", () => sign({ team: "pro-blue\nx" }), otherClaims],
    ["a pattern's claim of 1025 characters", () => sign({ team: `pro-${"x".repeat(1021)}` }), otherClaims],
  ])("rejects a JWT: %s", async (_what, token, description) => {
    const response = await worker.post(undefined, bearer(await token()));
    await expectRefusal(response, app, invalidClient(description));
  });
});

/** A token that claims an extension nobody knows (RFC 7515 §4.1.11). */
async function critical(): Promise<string> {
  const [, payload, signature] = await partsOf(sign());
  const header = { alg: "RS256", kid: "RS256-key", crit: ["ours"], ours: true };
  return [encode(header), payload, signature].join(".");
}
