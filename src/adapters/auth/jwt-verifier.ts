import { decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { AuthenticatorPorts } from "../../core/auth/authenticator.ts";
import type { JwtRule } from "../../core/auth/caller.ts";
import type { Claims } from "../../core/auth/claims.ts";
import { excerpt } from "../../core/log.ts";
import { TokenError } from "../../core/token-error.ts";
import type { FindIssuerKeys, KeySet } from "./issuer-keys.ts";

/** The algorithms of JWTs. Asymmetric signatures only: with `none` or HMAC, anybody who knows the public key could sign (RFC 8725 §3.1). */
export const ALGORITHMS = [
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

/** Verifies that a JWT was signed by the issuer of the rule and is valid now, and returns what it says. */
export type VerifyJwt = AuthenticatorPorts["verifyJwt"];

/**
 * Creates the verifier of callers' JWTs (RFC 7519 §7.2, RFC 8725).
 * @throws TokenError `invalid_client` for an invalid JWT, `issuer_unavailable` when the keys cannot be fetched; either
 * tells which JWT it was.
 */
export function createJwtVerifier(findKeys: FindIssuerKeys, now: () => number): VerifyJwt {
  return async function verifyJwt(credential, rule, waitUntil, deadline) {
    /** What the header says, verified or not. */
    let kid: string | undefined;
    const notingKid =
      (keySet: KeySet): JWTVerifyGetKey =>
      (header, token) => {
        kid = typeof header.kid === "string" ? excerpt(header.kid) : undefined;
        return keySet(header, token);
      };
    try {
      const { keySet } = await findKeys(rule, waitUntil, deadline);
      const claims = await verifyWith(credential, rule, notingKid(keySet)).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        return verifyWith(credential, rule, notingKid((await findKeys(rule, waitUntil, deadline, true)).keySet));
      });
      return { claims, kid };
    } catch (error) {
      const jwt = { issuer: rule.issuer, kid };
      if (error instanceof TokenError) throw new TokenError(error.code, error.message, { ...error.details, jwt });
      const description = `The credential is not a valid JWT of ${rule.issuer}: ${reasonFor(error)}.`;
      throw new TokenError("invalid_client", description, { cause: error, jwt });
    }
  };

  async function verifyWith(jwt: string, { issuer }: JwtRule, getKey: JWTVerifyGetKey): Promise<Claims> {
    const { payload } = await jwtVerify(jwt, getKey, {
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
