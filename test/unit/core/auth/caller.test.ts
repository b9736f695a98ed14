import { describe, expect, it } from "vitest";
import { ANYONE, type Caller, type CredentialRule, isOpen } from "../../../../src/core/auth/caller.ts";
import { limitsFor } from "../../../../src/core/auth/caller-limits.ts";
import { type ClaimRule, type Claims, matchesClaims } from "../../../../src/core/auth/claims.ts";
import { isAllowedOrigin } from "../../../../src/core/auth/origins.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";
import { bots } from "../../../support/scopes.ts";

const callerOf = (credentialRule: CredentialRule, limits: Partial<Caller> = {}): Caller => ({
  name: "web",
  credentialRule,
  userPrefix: "",
  origins: "*",
  scope: undefined,
  maxDurationSeconds: undefined,
  limiter: undefined,
  ...limits,
});
const user = callerOf(JWT_RULE);
const script = callerOf({ kind: "key", keySha256: "ab" }, { name: "script" });
const visitors = callerOf({ kind: "anonymous", turnstile: undefined }, { name: "visitors" });
const checked = callerOf({ kind: "anonymous", turnstile: { hostname: undefined, action: undefined } });

const failure = (code: string, description: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(description) });

describe("ANYONE", () => {
  it("lets the caller anyone get, from every page, all that the settings allow", () => {
    const settings = { durationSeconds: 900, scope: undefined };
    expect(ANYONE.name).toBe("anyone");
    expect(isAllowedOrigin("https://any.example", "https://own.example", ANYONE.origins)).toBe(true);
    expect(limitsFor(ANYONE, settings)).toEqual(settings);
  });
});

describe("matchesClaims", () => {
  const claims: Claims = { aud: "api", sub: "ada" };
  const isMatch = (changes: Claims, rules: Readonly<Record<string, ClaimRule>> = {}) =>
    matchesClaims({ ...JWT_RULE, claims: new Map(Object.entries(rules)) }, { ...claims, ...changes });

  it.each<[string, Claims, Record<string, ClaimRule>]>([
    ["the audience", {}, {}],
    ["one of the audiences", { aud: ["web", "api"] }, {}],
    ["a string", { role: "user" }, { role: "user" }],
    ["a number", { level: 3 }, { level: 3 }],
    ["false", { active: false }, { active: false }],
    ["a pattern", { team: "red" }, { team: /^(?:red|blue)$/su }],
    ["a string of the greatest length that patterns are tried on", { team: "x".repeat(1024) }, { team: /^x+$/su }],
    ["all rules", { a: 1, b: "x" }, { a: 1, b: /^x$/su }],
  ])("matches a JWT by %s", (_what, changes, rules) => {
    expect(isMatch(changes, rules)).toBe(true);
  });

  it.each<[string, Claims, Record<string, ClaimRule>]>([
    ["another audience", { aud: "web" }, {}],
    ["an audience that holds the right one", { aud: "apis" }, {}],
    ["no audience", { aud: undefined }, {}],
    ["other audiences", { aud: ["web"] }, {}],
    ["audiences within a list", { aud: [["api"]] }, {}],
    ["an audience as object", { aud: { api: true } }, {}],
    ["a claim that is missing", {}, { role: "user" }],
    ["one of two rules", { a: 1, b: 1 }, { a: 1, b: 2 }],
    ["another type", { level: "3" }, { level: 3 }],
    ["a list with the value", { role: ["user"] }, { role: "user" }],
    ["a string of another pattern", { team: "green" }, { team: /^(?:red|blue)$/su }],
    ["a list for a pattern", { team: ["red"] }, { team: /^(?:red|blue)$/su }],
    ["a number for a pattern", { level: 3 }, { level: /^3$/su }],
    ["a string too long for any pattern", { team: "x".repeat(1025) }, { team: /^x+$/su }],
    ["what every object has", {}, { toString: /^.*$/su }],
  ])("does not match a JWT by %s", (_what, changes, rules) => {
    expect(isMatch(changes, rules)).toBe(false);
  });

  it("matches a JWT of any audience when the rule names none", () => {
    expect(matchesClaims({ ...JWT_RULE, audience: undefined }, { sub: "ada" })).toBe(true);
    expect(matchesClaims({ ...JWT_RULE, audience: undefined }, { aud: "other" })).toBe(true);
  });
});

describe("limitsFor", () => {
  it.each<[string, number | undefined, number]>([
    ["of the settings where the caller has none", undefined, 900],
    ["of the caller where it is less", 300, 300],
    ["of the settings where the caller's is more", 7200, 900],
  ])("limits a token to the duration %s", (_what, maxDurationSeconds, durationSeconds) => {
    const caller = callerOf(JWT_RULE, { maxDurationSeconds });
    expect(limitsFor(caller, { durationSeconds: 900, scope: undefined })).toEqual({
      durationSeconds,
      scope: undefined,
    });
  });

  it("limits the scope to what settings and caller have in common", () => {
    const caller = callerOf(JWT_RULE, { scope: bots("1", "2") });
    expect(limitsFor(caller, { durationSeconds: 900, scope: bots("2", "3") }).scope).toEqual(bots("2"));
    expect(limitsFor(caller, { durationSeconds: 900, scope: undefined }).scope).toEqual(bots("1", "2"));
    expect(limitsFor(user, { durationSeconds: 900, scope: bots("2") }).scope).toEqual(bots("2"));
  });

  it("refuses by name a caller whose scope has nothing in common with the settings", () => {
    const caller = callerOf(JWT_RULE, { scope: bots("1") });
    expect(() => limitsFor(caller, { durationSeconds: 900, scope: bots("2") })).toThrow(
      failure("invalid_scope", "The caller web is granted nothing"),
    );
  });
});

describe("isOpen", () => {
  it.each<[string, readonly Caller[], boolean]>([
    ["open to anyone", [ANYONE], true],
    ["open to visitors", [script, visitors], true],
    ["closed by Turnstile for visitors", [script, checked], false],
    ["closed to all but keys and users", [script, user], false],
  ])("calls a service %s", (_what, callers, open) => {
    expect(isOpen(callers)).toBe(open);
  });
});
