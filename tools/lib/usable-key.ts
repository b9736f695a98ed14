import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { KEY_ADVICE, parsePem } from "../../src/adapters/coze/pem.ts";
import { importPrivateKey, type PrivateKey } from "../../src/adapters/coze/private-key.ts";
import { invalid, type Parsed } from "../../src/core/issue.ts";

/** What can be said of a private key without showing it. */
type KeyDescription = {
  readonly bits: number;
  /** SHA-256 of the public key (SPKI), in base64url. It is not the fingerprint that Coze shows. */
  readonly publicKeyDigest: string;
};

/**
 * Imports a private key as the Worker does, and checks that its numbers belong together, which workerd insists on and
 * Node.js does not: a single character that is wrong could go unnoticed until the key is deployed.
 */
export async function importUsableKey(pastedKey: string): Promise<Parsed<PrivateKey>> {
  const imported = await importPrivateKey(pastedKey);
  if ("issues" in imported || isConsistent(keyObjectFor(pastedKey))) return imported;
  return invalid(`is damaged: its numbers do not belong together. ${KEY_ADVICE}`);
}

/** Describes a private key that {@link importUsableKey} accepts: its size, and the SHA-256 of its public key (SPKI). */
export function describeKey(pem: string): KeyDescription {
  const publicKey = createPublicKey(keyObjectFor(pem));
  return {
    bits: publicKey.asymmetricKeyDetails?.modulusLength ?? 0,
    publicKeyDigest: createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("base64url"),
  };
}

/** The private key, for `node:crypto`, in a string that {@link importPrivateKey} accepts. */
function keyObjectFor(pastedKey: string): KeyObject {
  const der = parsePem(pastedKey);
  if ("issues" in der) throw new TypeError("a key that cannot be imported cannot be read");
  const key = Buffer.from(der.value);
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } catch {
    return createPrivateKey({ key, format: "der", type: "pkcs1" });
  }
}

/** RFC 8017 §3.2. That p and q are primes is not checked: an accident does not make others that fit. */
function isConsistent(key: KeyObject): boolean {
  const numbers = key.export({ format: "jwk" });
  const [n, e, d, p, q, dp, dq, qi] = (["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const).map((name) =>
    BigInt(`0x0${Buffer.from(numbers[name] ?? "", "base64url").toString("hex")}`),
  ) as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint]; // as many as there are names
  if (p < 2n || q < 2n || n !== p * q) return false;
  const isExponent = (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n;
  return isExponent && dp === d % (p - 1n) && dq === d % (q - 1n) && (qi * q) % p === 1n;
}
