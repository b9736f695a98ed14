import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANYONE, type Caller, type CredentialRule } from "../../../../src/core/auth/caller.ts";
import { createSessionNames } from "../../../../src/core/auth/session-name.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";

/** Few, so that prefixes and ids meet in every way. */
const prefix = fc.constantFrom("a", "b", "visitors");
const userId = fc
  .tuple(fc.constantFrom("", "a:", "b:", "visitors:", ":", "c:"), fc.constantFrom("ada", "bob", "a:ada", ":"))
  .map((parts) => parts.join(""));
const header = fc.option(userId, { nil: null });

const VISITOR: CredentialRule = { kind: "anonymous", turnstile: undefined };
const KEY: CredentialRule = { kind: "key", keySha256: "00" };

const credentialRule = fc.constantFrom(JWT_RULE, VISITOR, KEY);
const caller = fc
  .tuple(credentialRule, prefix)
  .map(([how, userPrefix]): Caller => ({ ...ANYONE, credentialRule: how, userPrefix }));
/** One caller without a prefix at most that does not speak for all users, as the settings demand. */
const unprefixed = fc.option(fc.constant<Caller>({ ...ANYONE, credentialRule: JWT_RULE, userPrefix: "" }), {
  nil: undefined,
});

function sessionOf(callers: readonly Caller[], one: Caller, named: string | null): string | undefined | Error {
  try {
    const isJwt = one.credentialRule.kind === "jwt";
    return createSessionNames(callers)(one, isJwt ? null : named, isJwt ? { sub: named ?? undefined } : undefined);
  } catch (error) {
    return error as Error; // nothing else is thrown here
  }
}

describe("whatever ids clients send", () => {
  it("never puts users of callers with different prefixes in one session", () => {
    fc.assert(
      fc.property(caller, caller, unprefixed, header, header, (one, other, plain, id, otherId) => {
        fc.pre(one.userPrefix !== other.userPrefix);
        const callers = [one, other, ...(plain ? [plain] : [])];
        const session = sessionOf(callers, one, id);
        fc.pre(!(session instanceof Error));
        expect(sessionOf(callers, other, otherId)).not.toBe(session);
        if (plain) expect(sessionOf(callers, plain, otherId)).not.toBe(session);
      }),
      { numRuns: 1000 },
    );
  });

  it("gives each user of a caller a session of its own, and always the same one", () => {
    fc.assert(
      fc.property(caller, header, header, (one, id, otherId) => {
        const [session, otherSession] = [sessionOf([one], one, id), sessionOf([one], one, otherId)];
        fc.pre(!(session instanceof Error) && !(otherSession instanceof Error));
        expect(session === otherSession).toBe(id === otherId);
      }),
    );
  });
});
