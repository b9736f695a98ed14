import { importSPKI } from "jose";

/** RFC 7518 §3.3: a key of 2048 bits or larger must be used with RS256. */
const MIN_MODULUS_BITS = 2048;

/** Reads the public half of an app's key pair from SPKI PEM. Throws a `TypeError` that says what is wrong with it. */
export async function importPublicKey(pem: string): Promise<CryptoKey> {
  const key = await importSPKI(pem, "RS256").catch((cause: unknown) => {
    throw new TypeError("is not an RSA public key in SPKI PEM form (BEGIN PUBLIC KEY)", { cause });
  });

  const bits = "modulusLength" in key.algorithm ? Number(key.algorithm.modulusLength) : 0;
  if (bits < MIN_MODULUS_BITS) throw new TypeError(`has ${bits} bits; RS256 needs at least ${MIN_MODULUS_BITS}`);
  return key;
}
