import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAuthenticator, type VerifiedJwt } from "../../../../src/core/auth/authenticator.ts";
import { ANYONE, type Caller, type CredentialRule, type JwtRule } from "../../../../src/core/auth/caller.ts";
import type { Claims } from "../../../../src/core/auth/claims.ts";
import { TokenError } from "../../../../src/core/token-error.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";

/** What a credential is, to the ports below: a key, a JWT of an issuer and with a role, or neither. */
type Credential =
  | { readonly is: "key"; readonly sha256: string }
  | { readonly is: "jwt"; readonly issuer: string; readonly role: string; readonly isValid: boolean }
  | { readonly is: "nothing" };

const ISSUERS = ["https://one.example", "https://other.example"];
const KEYS = ["00", "11", "22"];
const ROLES = ["admin", "guest"];

const credentialRule: fc.Arbitrary<CredentialRule> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: "anyone" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "anonymous" as const, turnstile: undefined }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("key" as const), keySha256: fc.constantFrom(...KEYS) }) },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...ISSUERS), fc.constantFrom(...ROLES)).map(jwtRule) },
);
/** Callers whose names are their places. */
const callers = fc
  .array(credentialRule, { maxLength: 6 })
  .map((all) => all.map((how, index): Caller => ({ ...ANYONE, name: String(index), credentialRule: how })));
const credential: fc.Arbitrary<Credential> = fc.oneof(
  fc.record({ is: fc.constant("key" as const), sha256: fc.constantFrom(...KEYS) }),
  fc.record({
    is: fc.constant("jwt" as const),
    issuer: fc.constantFrom(...ISSUERS, "https://foreign.example"),
    role: fc.constantFrom(...ROLES),
    isValid: fc.boolean(),
  }),
  fc.constant({ is: "nothing" as const }),
);

const unverified = new TokenError("invalid_client", "The JWT is not valid.");
const withoutWork = () => {};

describe("createAuthenticator", () => {
  it("authenticates every request as anyone where there is such a caller, whatever its credential", async () => {
    await forAll(async (all, given, asked) => {
      const open = all.find(({ credentialRule: how }) => how.kind === "anyone");
      if (open === undefined) return;
      expect(await authenticate(all, given, asked)).toEqual({ caller: open, claims: undefined });
      expect(await authenticate(all, undefined, asked)).toEqual({ caller: open, claims: undefined });
      expect(asked).toEqual([]);
    });
  });

  it("authenticates a request without a credential as an anonymous caller only", async () => {
    await forAll(async (all, _given, asked) => {
      if (isOpenToAll(all)) return;
      const visitor = all.find(({ credentialRule: how }) => how.kind === "anonymous");
      const expected = visitor
        ? { caller: visitor, claims: undefined }
        : { code: "invalid_client", message: expect.stringContaining("is required") };
      expect(await authenticate(all, undefined, asked)).toMatchObject(expected);
      expect(asked).toEqual([]);
    });
  });

  it("authenticates a credential as the first caller that it fits, and never as an anonymous one", async () => {
    await forAll(async (all, given) => {
      if (isOpenToAll(all)) return;
      const fitting = all.find(({ credentialRule: how }) => fits(how, given));
      const outcome = await authenticate(all, given);
      if (fitting === undefined) expect(outcome).toMatchObject({ code: "invalid_client" });
      else
        expect(outcome).toEqual({
          caller: fitting,
          ...(given.is === "jwt" && { claims: claimsOf(given), kid: "key" }),
        });
    });
  });

  it("compares a credential with each key, whether or not one before it fits", async () => {
    await forAll(async (all, given, asked) => {
      if (isOpenToAll(all)) return;
      await authenticate(all, given, asked);
      const keys = all.flatMap(({ credentialRule: how }) => (how.kind === "key" ? [how.keySha256] : []));
      expect(asked.filter((question) => KEYS.includes(question))).toEqual(keys);
    });
  });

  it("verifies a JWT once, if its issuer is known, and believes no claim of one that is not valid", async () => {
    await forAll(async (all, given, asked) => {
      if (isOpenToAll(all) || given.is !== "jwt") return;
      const outcome = await authenticate(all, given, asked);
      const [rule] = all.flatMap(({ credentialRule: how }) =>
        how.kind === "jwt" && how.issuer === given.issuer ? [how] : [],
      );
      expect(asked.filter((question) => !KEYS.includes(question))).toEqual(
        rule ? [`${rule.issuer} ${rule.audience}`] : [],
      );
      if (rule && !given.isValid) expect(outcome).toBe(unverified);
    });
  });
});

function forAll(check: (all: Caller[], given: Credential, asked: string[]) => Promise<void>): Promise<void> {
  return fc.assert(
    fc.asyncProperty(callers, credential, (all, given) => check(all, given, [])),
    { numRuns: 300 },
  );
}

/** Who it is, or the error instead of that. `asked` takes what the ports were asked for. */
function authenticate(all: readonly Caller[], given: Credential | undefined, asked: string[] = []): Promise<unknown> {
  const ask = createAuthenticator(all, portsFor(given ?? { is: "nothing" }, asked));
  return ask(given && "the credential", withoutWork, 12_000).catch((error: unknown) => error);
}

function portsFor(given: Credential, asked: string[]) {
  return {
    digestOf: async () => new ArrayBuffer(),
    createKeyMatcher: (keySha256: string) => () => {
      asked.push(keySha256);
      return given.is === "key" && given.sha256 === keySha256;
    },
    claimedIssuer: () => (given.is === "jwt" ? given.issuer : undefined),
    async verifyJwt(_jwt: string, { issuer, audience }: JwtRule): Promise<VerifiedJwt> {
      asked.push(`${issuer} ${audience}`);
      if (given.is !== "jwt" || !given.isValid) throw unverified;
      return { claims: claimsOf(given), kid: "key" };
    },
  };
}

function jwtRule([issuer, role]: readonly [issuer: string, role: string]): JwtRule {
  return { ...JWT_RULE, issuer, claims: new Map([["role", role]]) };
}

function claimsOf({ issuer, role }: Credential & { is: "jwt" }): Claims {
  return { iss: issuer, aud: JWT_RULE.audience, role };
}

function fits(how: CredentialRule, given: Credential): boolean {
  if (how.kind === "key") return given.is === "key" && given.sha256 === how.keySha256;
  if (how.kind !== "jwt") return false;
  return given.is === "jwt" && given.isValid && given.issuer === how.issuer && how.claims.get("role") === given.role;
}

function isOpenToAll(all: readonly Caller[]): boolean {
  return all.some(({ credentialRule: how }) => how.kind === "anyone");
}
