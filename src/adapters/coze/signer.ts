import { SignJWT } from "jose";
import type { AssertionClaims } from "../../core/token/assertion.ts";

/** Creates the signer of assertions: RS256 (RFC 7518 §3.3), with the key id that Coze has for the public key. */
export function createSigner(signingKey: CryptoKey, kid: string): (claims: AssertionClaims) => Promise<string> {
  return function sign(claims) {
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: "RS256", typ: "JWT", kid }).sign(signingKey);
  };
}
