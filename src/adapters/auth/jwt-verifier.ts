import { decodeJwt, errors, jwtVerify } from "jose";
import type { AuthenticatorPorts } from "../../core/auth/authenticator.ts";
import type { JwtRule } from "../../core/auth/caller.ts";
import type { Claims } from "../../core/auth/claims.ts";
import { TokenError } from "../../core/token-error.ts";
import type { FindIssuerKeys, KeySet } from "./issuer-keys.ts";

/** Asymmetric signatures only: with `none` or HMAC, anybody who knows the public key could sign (RFC 8725 §3.1). */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** Allows for small differences between clocks. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** Returns the unverified `iss` claim of a JWT, or `undefined` if the credential is not a JWT. */
export function claimedIssuer(credential: string): string | undefined {
  try {
    return decodeJwt(credential).iss;
  } catch {
    return undefined;
  }
}

/** Verifies that a JWT was signed by the issuer of the rule and is valid now, and returns its claims. */
export type VerifyJwt = AuthenticatorPorts["verifyJwt"];

/**
 * Creates the verifier of callers' JWTs (RFC 7519 §7.2, RFC 8725).
 * @throws TokenError `invalid_client` for an invalid JWT, `issuer_unavailable` when the keys cannot be fetched.
 */
export function createJwtVerifier(findKeys: FindIssuerKeys, now: () => number): VerifyJwt {
  return async function verifyJwt(jwt, rule, waitUntil, deadline) {
    try {
      const { keySet } = await findKeys(rule, waitUntil, deadline);
      return await verifyWith(jwt, rule, keySet).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        return verifyWith(jwt, rule, (await findKeys(rule, waitUntil, deadline, true)).keySet);
      });
    } catch (error) {
      if (error instanceof TokenError) throw error;
      throw new TokenError(
        "invalid_client",
        `The credential is not a valid JWT of ${rule.issuer}: ${reasonFor(error)}.`,
        {
          cause: error,
        },
      );
    }
  };

  async function verifyWith(jwt: string, { issuer }: JwtRule, keySet: KeySet): Promise<Claims> {
    const { payload } = await jwtVerify(jwt, keySet, {
      algorithms: ALGORITHMS,
      issuer,
      requiredClaims: ["exp"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now()),
    });
    return payload;
  }
}

function reasonFor(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim ${error.claim} does not hold`;
  if (error instanceof errors.JOSEAlgNotAllowed) return "its algorithm is not accepted";
  if (error instanceof errors.JWKSNoMatchingKey) return "it is signed with a key that the issuer does not have";
  return "its signature or form is wrong";
}
