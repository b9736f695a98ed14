import { describe, expect, it } from "vitest";
import { ANYONE, type Caller, type CredentialRule } from "../../../../src/core/auth/caller.ts";
import type { Claims } from "../../../../src/core/auth/claims.ts";
import { createSessionNames } from "../../../../src/core/auth/session-name.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";

const callerOf = (credentialRule: CredentialRule, userPrefix = ""): Caller => ({
  ...ANYONE,
  credentialRule,
  userPrefix,
});

const users = callerOf(JWT_RULE);
const staff = callerOf({ ...JWT_RULE, userIdClaim: "email" }, "staff");
const script = callerOf({ kind: "key", keySha256: "ab" });
const shop = callerOf({ kind: "key", keySha256: "cd" }, "shop");
const visitors = callerOf({ kind: "anonymous", turnstile: undefined }, "visitors");
const sharing = callerOf({ kind: "anonymous", turnstile: undefined });
const sessionNameFor = createSessionNames([users, staff, script, shop, visitors]);

describe("a session name", () => {
  it.each<[string, Caller, string | null, Claims | undefined, string | undefined]>([
    ["none for a key caller without a user", script, null, undefined, undefined],
    ["the header for a key caller", script, "ada", undefined, "ada"],
    ["any session for a key caller, that of a visitor too", script, "visitors:ada", undefined, "visitors:ada"],
    ["within the prefix for a key caller that has one", shop, "ada", undefined, "shop:ada"],
    ["within the prefix for such a caller though it names another", shop, "staff:ada", undefined, "shop:staff:ada"],
    ["the prefix alone for such a caller without a user", shop, null, undefined, "shop:"],
    ["the claim for a JWT caller", users, null, { sub: "ada" }, "ada"],
    ["the claim for a JWT caller beside an equal header", users, "ada", { sub: "ada" }, "ada"],
    ["the prefixed claim for a JWT caller with a prefix", staff, "a@x", { sub: "ada", email: "a@x" }, "staff:a@x"],
    ["an id that begins with a colon", users, null, { sub: ":ada" }, ":ada"],
    ["an id that only looks like a prefix", users, null, { sub: "visitor:ada" }, "visitor:ada"],
    ["an id that is a prefix without a colon", users, null, { sub: "visitors" }, "visitors"],
    [
      "an id of 128 characters, which the prefix lengthens",
      visitors,
      "x".repeat(128),
      undefined,
      `visitors:${"x".repeat(128)}`,
    ],
    ["within the prefix for a visitor who writes it too", visitors, "visitors:ada", undefined, "visitors:visitors:ada"],
    ["the prefix alone for a visitor without a name", visitors, null, undefined, "visitors:"],
    ["the header for visitors whose owner shares sessions", sharing, "ada", undefined, "ada"],
    ["none for such a visitor without a name", sharing, null, undefined, undefined],
  ])("takes as the session name %s", (_what, caller, header, claims, name) => {
    expect(sessionNameFor(caller, header, claims)).toBe(name);
  });

  it("takes X-User-ID as the session name in an open service", () => {
    expect(createSessionNames([ANYONE])(ANYONE, "visitors:ada", undefined)).toBe("visitors:ada");
    expect(createSessionNames([ANYONE])(ANYONE, null, undefined)).toBeUndefined();
  });

  it.each<[string, Caller, string | null, Claims | undefined, string, string]>([
    ["a JWT without claims", users, null, undefined, "access_denied", "The claim sub"],
    ["a JWT without the claim", users, null, {}, "access_denied", "The claim sub"],
    ["a JWT with an empty claim", users, null, { sub: "" }, "access_denied", "The claim sub"],
    ["a JWT with a number", users, null, { sub: 1 }, "access_denied", "The claim sub"],
    ["a JWT that imitates visitors", users, null, { sub: "visitors:ada" }, "access_denied", "The claim sub"],
    [
      "a JWT that imitates visitors without a name",
      users,
      null,
      { sub: "visitors:" },
      "access_denied",
      "The claim sub",
    ],
    ["a JWT with a prefix that imitates another", staff, null, { email: "shop:a" }, "access_denied", "The claim email"],
    [
      "a JWT beside another user in the header",
      users,
      "bob",
      { sub: "ada" },
      "access_denied",
      "X-User-ID names another",
    ],
    ["a JWT beside a broken header", users, "", { sub: "ada" }, "invalid_request", "X-User-ID is empty"],
    ["a visitor who imitates others", visitors, "staff:a@x", undefined, "access_denied", "X-User-ID begins with the"],
    ["a visitor who shares sessions and imitates others", sharing, "shop:ada", undefined, "access_denied", "begins"],
    ["a key caller with a broken header", shop, " ", undefined, "invalid_request", "X-User-ID"],
  ])("refuses a session name to %s", (_what, caller, header, claims, code, description) => {
    expect(() => sessionNameFor(caller, header, claims)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(description) }),
    );
  });
});
