import { decodeJwt } from "jose";
import type { LocalCheck, LocalComparison, LocalExplanation } from "../../src/console/local-types.ts";
import { type AuthenticatorPorts, createAuthenticator } from "../../src/core/auth/authenticator.ts";
import type { Caller, JwtRule } from "../../src/core/auth/caller.ts";
import { type Claims, matchesClaims } from "../../src/core/auth/claims.ts";
import { createSessionNames } from "../../src/core/auth/session-name.ts";
import type { WaitUntil } from "../../src/core/single-flight.ts";
import { formatValue } from "./format-value.ts";
import { sentenceFor, validityChecks } from "./validity-checks.ts";

/** Says which caller a credential has, and compares it with every caller. */
export type ExplainCredential = (
  credential: string,
  /** As the header `X-User-ID` has it; `null` without one. */
  userId: string | null,
  callers: readonly Caller[],
  waitUntil: WaitUntil,
  /** When the response is due, in Unix milliseconds. */
  deadline: number,
) => Promise<LocalExplanation>;

/** What a user id must be, short enough for a column. */
const USER_ID_RULE = "1-128 × ASCII";

/** Creates a function that explains credentials. It decides with the same parts as the Worker. */
export function createCredentialExplainer(ports: AuthenticatorPorts): ExplainCredential {
  return async function explainCredential(credential, userId, callers, waitUntil, deadline) {
    const [decision, comparisons] = await Promise.all([
      decide(),
      Promise.all(callers.map((caller) => compare(caller))),
    ]);
    return { ...decision, callers: comparisons };

    async function decide(): Promise<Omit<LocalExplanation, "callers">> {
      let name: string | undefined;
      try {
        const { caller, claims } = await createAuthenticator(callers, ports)(credential, waitUntil, deadline);
        name = caller.name;
        return { caller: name, sessionName: createSessionNames(callers)(caller, userId, claims) };
      } catch (error) {
        return { caller: name, refusal: sentenceFor(error) };
      }
    }

    async function compare(caller: Caller): Promise<LocalComparison> {
      const checks = await checksFor(caller);
      return { name: caller.name, matches: checks.every(({ passes }) => passes === true), checks };
    }

    async function checksFor(caller: Caller): Promise<readonly LocalCheck[]> {
      const rule = caller.credentialRule;
      if (rule.kind === "anyone") return [];
      if (rule.kind === "anonymous") return [{ rule: "anonymous", passes: false, expected: "no credential" }];
      if (rule.kind === "key") {
        return [
          { rule: "key_sha256", passes: ports.createKeyMatcher(rule.keySha256)(await ports.digestOf(credential)) },
        ];
      }
      const claims = decode(credential);
      if (claims === undefined) return [{ rule: "issuer", passes: false, expected: rule.issuer }];
      return [
        {
          rule: "issuer",
          passes: claims["iss"] === rule.issuer,
          expected: rule.issuer,
          actual: formatValue(claims["iss"]),
        },
        ...(await validityChecks(rule, claims, () => ports.verifyJwt(credential, rule, waitUntil, deadline))),
        ...claimChecks(rule, claims),
        userCheck(caller, rule, claims),
      ];
    }

    function userCheck(caller: Caller, { userIdClaim }: JwtRule, claims: Claims): LocalCheck {
      const check = { rule: `user_id = ${userIdClaim}`, actual: formatValue(claims[userIdClaim]) };
      try {
        createSessionNames(callers)(caller, null, claims);
        return { ...check, passes: true };
      } catch {
        return { ...check, passes: false, expected: USER_ID_RULE };
      }
    }
  };
}

function claimChecks(rule: JwtRule, claims: Claims): readonly LocalCheck[] {
  const audience = rule.audience === undefined ? [] : [{ ...rule, claims: new Map() }];
  const single = [...rule.claims].map(([name, wanted]) => {
    const alone = { ...rule, audience: undefined, claims: new Map([[name, wanted]]) };
    const expected = formatValue(wanted);
    return {
      rule: `claims.${name}`,
      passes: matchesClaims(alone, claims),
      expected,
      actual: formatValue(claims[name]),
    };
  });
  return [
    ...audience.map((alone) => ({
      rule: "audience",
      passes: matchesClaims(alone, claims),
      expected: formatValue(rule.audience),
      actual: formatValue(claims["aud"]),
    })),
    ...single,
  ];
}

function decode(credential: string): Claims | undefined {
  try {
    return decodeJwt(credential);
  } catch {
    return undefined;
  }
}
