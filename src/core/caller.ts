import { type CozeScope, intersectScopes } from "./coze-scope.ts";
import type { GrantLimits } from "./grant.ts";
import type { AllowedOrigins } from "./origins.ts";
import { TokenError } from "./token-error.ts";
import { parseUserId } from "./user-id.ts";

/** A named rule: how to recognise somebody, and what they may be granted. */
export type Caller = {
  readonly name: string;
  readonly recognition: Recognition;
  /** Web pages that this caller may ask from. */
  readonly origins: AllowedOrigins;
  /** The Coze scope that `bot_ids` and `permissions` make; `undefined`: it adds no restriction. */
  readonly scope: CozeScope | undefined;
  readonly maxDurationSeconds: number | undefined;
};

export type Recognition =
  /** Everybody, with or without a credential: the service as it is when no callers are set. */
  | { readonly kind: "anyone" }
  /** Whoever brings no credential. */
  | { readonly kind: "anonymous"; readonly turnstile: TurnstileRule | undefined }
  /** The holder of the API key with this SHA-256, in hexadecimal. */
  | { readonly kind: "key"; readonly keySha256: string }
  | JwtRule;

/** What a Turnstile answer must say beside success (Cloudflare: "Server-side validation"). */
export type TurnstileRule = { readonly hostname: string | undefined; readonly action: string | undefined };

/** The bearer of a JWT of an issuer (OpenID Connect Core §2, RFC 9068). */
export type JwtRule = {
  readonly kind: "jwt";
  readonly issuer: string;
  /** Where the issuer's keys are; `undefined`: where its discovery document says. */
  readonly jwksUri: string | undefined;
  /** `undefined` only where the claims name the party that the token was issued to. */
  readonly audience: string | undefined;
  readonly claims: ReadonlyMap<string, ClaimRule>;
  /** The claim that becomes the user id. */
  readonly userIdClaim: string;
};

/** The exact value a claim must have, or a pattern that must match the whole of a text. */
export type ClaimRule = string | number | boolean | RegExp;

/** The verified claims of a JWT. */
export type Claims = Readonly<Record<string, unknown>>;

/** A text claim longer than this matches no pattern, so that no pattern can be made to run for long. */
const MAX_MATCHED_CLAIM_LENGTH = 1024;

/** The implicit caller of an open service. */
export const ANYONE: Caller = {
  name: "anyone",
  recognition: { kind: "anyone" },
  origins: "*",
  scope: undefined,
  maxDurationSeconds: undefined,
};

/** Tells whether claims verified to be of its issuer are those of a rule. A claim of another type never matches. */
export function matchesClaims({ audience, claims: rules }: JwtRule, claims: Claims): boolean {
  if (audience !== undefined && !hasAudience(claims["aud"], audience)) return false;
  return [...rules].every(([name, rule]) => Object.hasOwn(claims, name) && matchesRule(claims[name], rule));
}

/**
 * Decides for which user a caller asks. A JWT speaks for the user it names; everybody else is believed, except that
 * an anonymous visitor, where users log in by JWT, gets a session name that no user of theirs can have.
 * @throws TokenError `invalid_request` for a broken header; `access_denied` for a JWT without a usable user id, or a
 * header that names another user.
 */
export function userIdFor(
  caller: Caller,
  header: string | null,
  claims: Claims | undefined,
  visitorPrefix: string | undefined,
): string | undefined {
  const named = parseUserId(header);
  const { recognition } = caller;
  if (recognition.kind === "jwt") return verifiedUserId(recognition, named, claims, visitorPrefix);
  if (recognition.kind === "anonymous" && visitorPrefix !== undefined && named !== undefined) {
    return parseUserId(visitorPrefix + named);
  }
  return named;
}

/**
 * The prefix that keeps the session names of anonymous visitors apart from those of verified users; `undefined` where
 * only one of the two kinds is let in.
 */
export function visitorPrefixFor(callers: readonly Caller[]): string | undefined {
  const visitors = callers.find(({ recognition }) => recognition.kind === "anonymous");
  const hasUsers = callers.some(({ recognition }) => recognition.kind === "jwt");
  return visitors !== undefined && hasUsers ? `${visitors.name}:` : undefined;
}

/**
 * The most that a caller may be granted: what the settings allow, less what the caller's rule takes away.
 * @throws TokenError `invalid_scope` when nothing is left.
 */
export function limitsFor({ name, scope, maxDurationSeconds }: Caller, settings: GrantLimits): GrantLimits {
  return {
    durationSeconds: Math.min(settings.durationSeconds, maxDurationSeconds ?? settings.durationSeconds),
    scope: intersectScopes(settings.scope, scope, `The caller ${name} is granted nothing`),
  };
}

/** Tells whether anybody who knows the address gets a token. */
export function isOpen(callers: readonly Caller[]): boolean {
  return callers.some(
    ({ recognition }) =>
      recognition.kind === "anyone" || (recognition.kind === "anonymous" && recognition.turnstile === undefined),
  );
}

function verifiedUserId(
  { userIdClaim }: JwtRule,
  named: string | undefined,
  claims: Claims | undefined,
  visitorPrefix: string | undefined,
): string {
  const verified = claims?.[userIdClaim];
  if (typeof verified !== "string" || !isUsable(verified) || (visitorPrefix && verified.startsWith(visitorPrefix))) {
    throw new TokenError("access_denied", `The claim ${userIdClaim} of the credential is no usable user id.`);
  }
  if (named !== undefined && named !== verified) {
    throw new TokenError("access_denied", "X-User-ID names another user than the credential. Leave the header out.");
  }
  return verified;
}

function isUsable(userId: string): boolean {
  try {
    return parseUserId(userId) !== undefined;
  } catch {
    return false;
  }
}

function hasAudience(claim: unknown, audience: string): boolean {
  return claim === audience || (Array.isArray(claim) && claim.includes(audience));
}

function matchesRule(claim: unknown, rule: ClaimRule): boolean {
  if (!(rule instanceof RegExp)) return claim === rule;
  return typeof claim === "string" && claim.length <= MAX_MATCHED_CLAIM_LENGTH && rule.test(claim);
}
