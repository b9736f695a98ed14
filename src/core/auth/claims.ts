import type { JwtRule } from "./caller.ts";

/** The exact value a claim must have, or a pattern that must match the whole string. */
export type ClaimRule = string | number | boolean | RegExp;

/** The verified claims of a JWT. */
export type Claims = Readonly<Record<string, unknown>>;

/** A string claim longer than this matches no pattern; the bound on patterns counts on it. */
export const MAX_MATCHED_CLAIM_LENGTH = 1024;

/** Tells whether claims verified to be of its issuer are those of a rule. A claim of another type never matches. */
export function matchesClaims({ audience, claims: rules }: JwtRule, claims: Claims): boolean {
  if (audience !== undefined && !hasAudience(claims["aud"], audience)) return false;
  return [...rules].every(([name, rule]) => Object.hasOwn(claims, name) && matchesRule(claims[name], rule));
}

function hasAudience(claim: unknown, audience: string): boolean {
  return claim === audience || (Array.isArray(claim) && claim.includes(audience));
}

function matchesRule(claim: unknown, rule: ClaimRule): boolean {
  if (!(rule instanceof RegExp)) return claim === rule;
  return typeof claim === "string" && claim.length <= MAX_MATCHED_CLAIM_LENGTH && rule.test(claim);
}
