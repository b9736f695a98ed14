import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANYONE, type Caller, type CredentialRule, isOpen } from "../../../../src/core/auth/caller.ts";
import { limitsFor } from "../../../../src/core/auth/caller-limits.ts";
import { type ClaimRule, matchesClaims } from "../../../../src/core/auth/claims.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";

const credentialRule: fc.Arbitrary<CredentialRule> = fc.constantFrom<CredentialRule[]>(
  { kind: "anyone" },
  { kind: "anonymous", turnstile: undefined },
  { kind: "anonymous", turnstile: { hostname: undefined, action: undefined } },
  { kind: "key", keySha256: "00" },
  JWT_RULE,
);
const caller = fc
  .tuple(fc.constantFrom("a", "b", "visitors"), credentialRule)
  .map(([name, how]): Caller => ({ ...ANYONE, name, credentialRule: how }));
const callers = fc.array(caller, { maxLength: 4 });

describe("the claims of a JWT", () => {
  const value = fc.constantFrom<unknown[]>("admin", "adm", "", 1, "1", true, "true", null, undefined, ["admin"], {});
  const name = fc.constantFrom("role", "org", "toString");
  const claims = fc.dictionary(name, value);
  const rule = fc.constantFrom<ClaimRule[]>("admin", 1, true, /^(?:adm.*)$/, /^(?:)$/);

  it("matches a JWT when each claim of the rule is there and is equal or matches the pattern", () => {
    fc.assert(
      fc.property(claims, fc.array(fc.tuple(name, rule)), (given, rules) => {
        const isMatch = [...new Map(rules)].every(([each, wanted]) => {
          if (!Object.keys(given).includes(each)) return false;
          return wanted instanceof RegExp ? wanted.test(textOr(given[each], "no string")) : given[each] === wanted;
        });
        expect(matchesClaims({ ...JWT_RULE, claims: new Map(rules) }, { ...given, aud: "api" })).toBe(isMatch);
      }),
      { numRuns: 500 },
    );
  });

  it("matches a JWT only for the audience of the rule, alone or among others", () => {
    const audience = fc.constantFrom<unknown[]>(
      "api",
      "ap",
      "apis",
      "",
      ["api"],
      ["a", "api"],
      ["a"],
      [],
      undefined,
      null,
      { api: 1 },
    );
    fc.assert(
      fc.property(audience, fc.boolean(), (aud, isNamed) => {
        const isAudience = aud === "api" || (Array.isArray(aud) && aud.includes("api"));
        const audienceRule = isNamed ? "api" : undefined;
        expect(matchesClaims({ ...JWT_RULE, audience: audienceRule }, { aud })).toBe(!isNamed || isAudience);
      }),
    );
  });

  it("matches a claim with a pattern up to a length of 1024", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 1050 }), (length) => {
        const rules = new Map([["role", /^(?:x+)$/]]);
        expect(matchesClaims({ ...JWT_RULE, claims: rules }, { aud: "api", role: "x".repeat(length) })).toBe(
          length <= 1024,
        );
      }),
    );
  });
});

it("calls a service open exactly when some caller needs neither a credential nor Turnstile", () => {
  fc.assert(
    fc.property(callers, (all) => {
      const isAnyoneLetIn = ({ credentialRule: how }: Caller) =>
        how.kind === "anyone" || (how.kind === "anonymous" && !how.turnstile);
      expect(isOpen(all)).toBe(all.filter(isAnyoneLetIn).length > 0);
    }),
  );
});

it("grants a caller at most the duration, and only the scope, that both settings and rule allow", () => {
  const seconds = fc.integer({ min: 1, max: 86_399 });
  const rights = fc.subarray(["a", "b", "c"], { minLength: 1 });
  const scopeOf = (list: readonly string[]) => ({ account_permission: { permission_list: list } });
  const max = fc.option(seconds, { nil: undefined });
  fc.assert(
    fc.property(seconds, max, rights, rights, (durationSeconds, maxDurationSeconds, ofSettings, ofCaller) => {
      const one = { ...ANYONE, name: "script", maxDurationSeconds, scope: scopeOf(ofCaller) };
      const limits = () => limitsFor(one, { durationSeconds, scope: scopeOf(ofSettings) });
      const common = ofCaller.filter((right) => ofSettings.includes(right));
      if (common.length > 0) {
        const duration = Math.min(durationSeconds, maxDurationSeconds ?? durationSeconds);
        expect(limits()).toEqual({ durationSeconds: duration, scope: scopeOf(common) });
      } else {
        expect(limits).toThrow(
          expect.objectContaining({
            code: "invalid_scope",
            message: expect.stringContaining("The caller script is granted nothing: "),
          }),
        );
      }
    }),
  );
});

function textOr(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}
