import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIssuerKeys } from "../../../src/adapters/auth/issuer-keys.ts";
import { claimedIssuer, createJwtVerifier } from "../../../src/adapters/auth/jwt-verifier.ts";
import { digestCredential } from "../../../src/adapters/auth/key-matcher.ts";
import { parseCallers } from "../../../src/config/parse-callers.ts";
import type { LocalExplanation } from "../../../src/console/local-types.ts";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { createCredentialExplainer } from "../../../tools/start/credential-explainer.ts";
import { type Claims, createTestIssuer, sharedKey, type TestIssuer } from "../../support/issuer.ts";
import { createIssuers } from "../../support/issuer-server.ts";
import { serve } from "../../support/stand-in-server.ts";

const CLAIMS = { sub: "ada", aud: "app", role: "member" };

let issuers: Awaited<ReturnType<typeof serve>>;
let issuer: TestIssuer;
let other: TestIssuer;

beforeAll(async () => {
  issuers = await serve(createIssuers());
  issuer = await createTestIssuer({ issuersUrl: issuers.url });
  other = await createTestIssuer({ issuersUrl: issuers.url });
});

afterAll(() => issuers.close());

async function explain(credential: string, userId: string | null = null): Promise<LocalExplanation> {
  const callers = parseCallers([
    { name: "report", key_sha256: sha256Hex("the key") },
    { name: "users", issuer: issuer.issuer, audience: "app", claims: { role: "member" } },
    { name: "visitors", anonymous: true },
  ]);
  if ("issues" in callers) throw new Error(JSON.stringify(callers.issues));
  const now = () => Date.now();
  const findKeys = createIssuerKeys({
    fetch: (url, init) => fetch(url, init),
    now,
    sleep: (milliseconds, signal) => wait(milliseconds, undefined, { signal }).catch(() => undefined),
  });
  const explainCredential = createCredentialExplainer({
    digestOf: digestCredential,
    // The Worker's needs a function that only workerd has.
    createKeyMatcher: (keySha256) => (digest) => Buffer.from(digest).toString("hex") === keySha256,
    claimedIssuer,
    verifyJwt: createJwtVerifier(findKeys, now),
  });
  return explainCredential(credential, userId, callers.value, () => {}, now() + 5000);
}

/** What is said of the rules of the caller `users`. */
async function rulesFor(jwt: string): Promise<Readonly<Record<string, boolean | undefined>>> {
  const { callers } = await explain(jwt);
  const checks = callers.find(({ name }) => name === "users")?.checks ?? [];
  return Object.fromEntries(checks.map(({ rule, passes }) => [rule, passes]));
}

const ALL = {
  issuer: true,
  signature: true,
  exp: true,
  audience: true,
  "claims.role": true,
  "user_id = sub": true,
};

describe("the explanation of a credential", () => {
  it("explains a JWT with its caller, its session and every rule that passes", async () => {
    const jwt = await issuer.sign(CLAIMS);
    expect(await explain(jwt)).toMatchObject({ caller: "users", sessionName: "ada" });
    expect(await rulesFor(jwt)).toEqual(ALL);
  });

  it("explains why a JWT is refused beside the user id of somebody else", async () => {
    const jwt = await issuer.sign(CLAIMS);
    const { caller, refusal } = await explain(jwt, "bob");
    expect(caller).toBe("users");
    expect(refusal).toContain("names another user than the credential");
  });

  it("explains an API key with its caller", async () => {
    const { caller, callers } = await explain("the key");
    expect(caller).toBe("report");
    expect(callers.filter(({ matches }) => matches).map(({ name }) => name)).toEqual(["report"]);
  });

  it.each<{ of: string; claims: Claims; rules: object }>([
    { of: "another audience", claims: { aud: "web" }, rules: { audience: false } },
    { of: "another claim", claims: { role: "guest" }, rules: { "claims.role": false } },
    { of: "a claim that is missing", claims: { role: undefined }, rules: { "claims.role": false } },
    { of: "no user", claims: { sub: undefined }, rules: { "user_id = sub": false } },
    { of: "a life that is over", claims: { exp: 1_700_000_000 }, rules: { exp: false } },
    { of: "no end of its life", claims: { exp: undefined }, rules: { exp: false } },
    { of: "a life that has not begun", claims: { nbf: 4_000_000_000 }, rules: { exp: undefined, nbf: false } },
  ])("explains which rule a JWT with $of fails", async ({ claims, rules }) => {
    const jwt = await issuer.sign({ ...CLAIMS, ...claims });
    expect(await rulesFor(jwt)).toEqual({ ...ALL, ...rules });
    expect(await explain(jwt)).toHaveProperty("refusal");
  });

  it("explains a wrong signature, and says nothing about the expiry", async () => {
    const jwt = await issuer.sign(CLAIMS, {}, await sharedKey("RS256", "stranger"));
    expect(await rulesFor(jwt)).toEqual({ ...ALL, signature: false, exp: undefined });
  });

  it("leaves the signature of another issuer's JWT unchecked", async () => {
    expect(await rulesFor(await other.sign(CLAIMS))).toEqual({
      ...ALL,
      issuer: false,
      signature: undefined,
      exp: undefined,
    });
  });

  it("leaves the signature unchecked while the issuer is down", async () => {
    await issuer.publish("keys", { status: 503 });
    const rules = await rulesFor(await issuer.sign(CLAIMS));
    await issuer.recover();
    expect(rules).toEqual({ ...ALL, signature: undefined, exp: undefined });
  });

  it("explains that a credential is not a JWT", async () => {
    expect(await explain("another key")).toMatchObject({
      refusal: expect.stringContaining("neither an API key"),
      callers: [
        { name: "report", matches: false },
        { name: "users", matches: false, checks: [{ rule: "issuer", passes: false }] },
        { name: "visitors", matches: false },
      ],
    });
  });
});
