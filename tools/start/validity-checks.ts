import { errors } from "jose";
import type { LocalCheck } from "../../src/console/local-types.ts";
import type { JwtRule } from "../../src/core/auth/caller.ts";
import type { Claims } from "../../src/core/auth/claims.ts";
import { TokenError } from "../../src/core/token-error.ts";
import { formatValue } from "./format-value.ts";

/** Checks the signature and the life of a JWT with these claims for a rule, by what `verify` throws. */
export async function validityChecks(
  rule: JwtRule,
  claims: Claims,
  verify: () => Promise<unknown>,
): Promise<readonly LocalCheck[]> {
  const expiry = { rule: "exp", expected: `> ${new Date().toISOString()}`, actual: formatTime(claims["exp"]) };
  const signed = { rule: "signature", passes: true };
  // The keys of an issuer say nothing about the JWT of another.
  if (claims["iss"] !== rule.issuer) return [{ rule: "signature" }, expiry];

  const error: unknown = await verify().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error === undefined) return [signed, { ...expiry, passes: true }];
  // The claims are checked only after the signature.
  const failed = error instanceof TokenError ? failedClaim(error.cause) : undefined;
  if (failed === "exp") return [signed, { ...expiry, passes: false }];
  if (failed !== undefined) {
    return [signed, expiry, { rule: failed, passes: false, actual: formatValue(claims[failed]) }];
  }
  const isUnknown = error instanceof TokenError && error.code === "issuer_unavailable";
  return [{ rule: "signature", ...(!isUnknown && { passes: false }) }, expiry];
}

/** Returns the sentence of a TokenError; throws anything else, which is a bug. */
export function sentenceFor(error: unknown): string {
  if (error instanceof TokenError) return error.message;
  throw error;
}

function failedClaim(cause: unknown): string | undefined {
  if (cause instanceof errors.JWTExpired) return "exp";
  return cause instanceof errors.JWTClaimValidationFailed ? cause.claim : undefined;
}

function formatTime(claim: unknown): string | undefined {
  const time = typeof claim === "number" ? new Date(claim * 1000) : undefined;
  return time === undefined || Number.isNaN(time.getTime()) ? formatValue(claim) : time.toISOString();
}
