import { describe, expect, it } from "vitest";
import {
  ANYONE,
  type Caller,
  type ClaimRule,
  type Claims,
  isOpen,
  type JwtRule,
  limitsFor,
  matchesClaims,
  type Recognition,
  userIdFor,
  visitorPrefixFor,
} from "../../src/core/caller.ts";
import type { CozeScope } from "../../src/core/coze-scope.ts";
import { isAllowedOrigin } from "../../src/core/origins.ts";

const issuer = "https://id.example.com";
const rule: JwtRule = {
  kind: "jwt",
  issuer,
  jwksUri: undefined,
  audience: "api",
  claims: new Map(),
  userIdClaim: "sub",
};

const callerOf = (recognition: Recognition, limits: Partial<Caller> = {}): Caller => ({
  name: "web",
  recognition,
  origins: "*",
  scope: undefined,
  maxDurationSeconds: undefined,
  ...limits,
});
const user = callerOf(rule);
const script = callerOf({ kind: "key", keySha256: "ab" }, { name: "script" });
const visitors = callerOf({ kind: "anonymous", turnstile: undefined }, { name: "visitors" });
const checked = callerOf({ kind: "anonymous", turnstile: { hostname: undefined, action: undefined } });

const failure = (code: string, description: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(description) });

describe("anyone", () => {
  it("goes by that name, and may ask from every page for all that the settings allow", () => {
    const settings = { durationSeconds: 900, scope: undefined };
    expect(ANYONE.name).toBe("anyone");
    expect(isAllowedOrigin("https://any.example", "https://own.example", ANYONE.origins)).toBe(true);
    expect(limitsFor(ANYONE, settings)).toEqual(settings);
  });
});

describe("matchesClaims", () => {
  const claims: Claims = { aud: "api", sub: "ada" };
  const isMatch = (changes: Claims, rules: Readonly<Record<string, ClaimRule>> = {}) =>
    matchesClaims({ ...rule, claims: new Map(Object.entries(rules)) }, { ...claims, ...changes });

  it.each<[string, Claims, Record<string, ClaimRule>]>([
    ["the audience", {}, {}],
    ["one of the audiences", { aud: ["web", "api"] }, {}],
    ["a text", { role: "user" }, { role: "user" }],
    ["a number", { level: 3 }, { level: 3 }],
    ["false", { active: false }, { active: false }],
    ["a pattern", { team: "red" }, { team: /^(?:red|blue)$/su }],
    ["a text as long as any pattern is tried on", { team: "x".repeat(1024) }, { team: /^x+$/su }],
    ["all rules", { a: 1, b: "x" }, { a: 1, b: /^x$/su }],
  ])("is true for %s", (_what, changes, rules) => {
    expect(isMatch(changes, rules)).toBe(true);
  });

  it.each<[string, Claims, Record<string, ClaimRule>]>([
    ["another audience", { aud: "web" }, {}],
    ["no audience", { aud: undefined }, {}],
    ["other audiences", { aud: ["web"] }, {}],
    ["audiences within a list", { aud: [["api"]] }, {}],
    ["an audience as object", { aud: { api: true } }, {}],
    ["a claim that is missing", {}, { role: "user" }],
    ["one of two rules", { a: 1, b: 1 }, { a: 1, b: 2 }],
    ["another type", { level: "3" }, { level: 3 }],
    ["a list with the value", { role: ["user"] }, { role: "user" }],
    ["a text of another pattern", { team: "green" }, { team: /^(?:red|blue)$/su }],
    ["a list for a pattern", { team: ["red"] }, { team: /^(?:red|blue)$/su }],
    ["a number for a pattern", { level: 3 }, { level: /^3$/su }],
    ["a text too long for any pattern", { team: "x".repeat(1025) }, { team: /^x+$/su }],
    ["what every object has", {}, { toString: /^.*$/su }],
  ])("is false for %s", (_what, changes, rules) => {
    expect(isMatch(changes, rules)).toBe(false);
  });

  it("asks for no audience where the rule names none", () => {
    expect(matchesClaims({ ...rule, audience: undefined }, { sub: "ada" })).toBe(true);
    expect(matchesClaims({ ...rule, audience: undefined }, { aud: "other" })).toBe(true);
  });
});

describe("userIdFor", () => {
  it.each<[string, Caller, string | null, Claims | undefined, string | undefined, string | undefined]>([
    ["nobody for anyone without a header", ANYONE, null, undefined, undefined, undefined],
    ["the header for anyone", ANYONE, "ada", undefined, undefined, "ada"],
    ["the header for a key", script, "ada", undefined, "visitors:", "ada"],
    ["nobody for a key without a header", script, null, undefined, "visitors:", undefined],
    ["the header for a visitor", visitors, "ada", undefined, undefined, "ada"],
    ["the prefixed header for a visitor", visitors, "ada", undefined, "visitors:", "visitors:ada"],
    ["nobody for a visitor without a header", visitors, null, undefined, "visitors:", undefined],
    ["the claim for a JWT", user, null, { sub: "ada" }, "visitors:", "ada"],
    ["the claim for a JWT with an equal header", user, "ada", { sub: "ada" }, undefined, "ada"],
    ["a claim that only looks like a visitor", user, null, { sub: "visitor:a" }, "visitors:", "visitor:a"],
  ])("is %s", (_what, caller, header, claims, prefix, userId) => {
    expect(userIdFor(caller, header, claims, prefix)).toBe(userId);
  });

  it.each<[string, string | null, Claims | undefined, string, string]>([
    ["no claims", null, undefined, "access_denied", "The claim sub"],
    ["a claim of every object", null, {}, "access_denied", "The claim sub"],
    ["an empty claim", null, { sub: "" }, "access_denied", "The claim sub"],
    ["a claim that is no text", null, { sub: 1 }, "access_denied", "The claim sub"],
    ["a visitor's session name", null, { sub: "visitors:ada" }, "access_denied", "The claim sub"],
    ["another header", "bob", { sub: "ada" }, "access_denied", "X-User-ID names another user"],
    ["a broken header", "", { sub: "ada" }, "invalid_request", "X-User-ID is empty"],
  ])("refuses a JWT with %s", (_what, header, claims, code, description) => {
    expect(() => userIdFor(user, header, claims, "visitors:")).toThrow(failure(code, description));
  });

  it("gives no visitor the session of a verified user, whatever he calls himself", () => {
    const prefix = visitorPrefixFor([user, visitors]);
    for (const name of ["ada", "visitors:ada", ":", "x"]) {
      const session = userIdFor(visitors, name, undefined, prefix);
      expect(() => userIdFor(user, null, { sub: session }, prefix)).toThrow(failure("access_denied", "The claim sub"));
    }
  });
});

describe("visitorPrefixFor", () => {
  it.each<[string, readonly Caller[], string | undefined]>([
    ["anyone", [ANYONE], undefined],
    ["visitors only", [visitors], undefined],
    ["visitors and keys", [visitors, script], undefined],
    ["users only", [user, script], undefined],
    ["users and visitors", [user, script, visitors], "visitors:"],
  ])("for %s", (_what, callers, prefix) => {
    expect(visitorPrefixFor(callers)).toBe(prefix);
  });
});

describe("limitsFor", () => {
  const bots = (...ids: string[]): CozeScope => ({
    attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ids } },
  });
  it.each<[string, number | undefined, number]>([
    ["the settings' where the caller has none", undefined, 900],
    ["the caller's where it is less", 300, 300],
    ["the settings' where the caller's is more", 7200, 900],
  ])("takes as longest life %s", (_what, maxDurationSeconds, durationSeconds) => {
    const caller = callerOf(rule, { maxDurationSeconds });
    expect(limitsFor(caller, { durationSeconds: 900, scope: undefined })).toEqual({
      durationSeconds,
      scope: undefined,
    });
  });

  it("takes as scope what settings and caller have in common", () => {
    const caller = callerOf(rule, { scope: bots("1", "2") });
    expect(limitsFor(caller, { durationSeconds: 900, scope: bots("2", "3") }).scope).toEqual(bots("2"));
    expect(limitsFor(caller, { durationSeconds: 900, scope: undefined }).scope).toEqual(bots("1", "2"));
    expect(limitsFor(user, { durationSeconds: 900, scope: bots("2") }).scope).toEqual(bots("2"));
  });

  it("names the caller who is left with nothing", () => {
    const caller = callerOf(rule, { scope: bots("1") });
    expect(() => limitsFor(caller, { durationSeconds: 900, scope: bots("2") })).toThrow(
      failure("invalid_scope", "The caller web is granted nothing: no attribute_constraint."),
    );
  });
});

describe("isOpen", () => {
  it.each<[string, readonly Caller[], boolean]>([
    ["anyone", [ANYONE], true],
    ["visitors", [script, visitors], true],
    ["visitors behind Turnstile", [script, checked], false],
    ["keys and users", [script, user], false],
  ])("for %s", (_what, callers, open) => {
    expect(isOpen(callers)).toBe(open);
  });
});
