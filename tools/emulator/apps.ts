import { importSPKI } from "jose";

/** Coze documents that an OAuth app holds three key pairs at most. */
export const MAX_KEYS = 3;

/** The region host of an app that was registered without one. */
export const DEFAULT_AUDIENCE = "api.coze.cn";

/** RFC 7518 §3.3: a key of 2048 bits or larger must be used with RS256. */
const MIN_MODULUS_BITS = 2048;

/** An OAuth app as its owner configured it in the Coze console. */
export type CozeApp = {
  readonly clientId: string;
  readonly name: string;
  /** The API host of the region that the app belongs to; the only `aud` it accepts. */
  readonly audience: string;
  readonly active: boolean;
  /** The public keys by their fingerprint, the `kid`. */
  readonly keys: ReadonlyMap<string, CryptoKey>;
};

/** The registered apps by client id. A change replaces the value. */
export type CozeApps = Map<string, CozeApp>;

/** Reads the public half of an app's key pair from SPKI PEM. Throws a `TypeError` that says what is wrong with it. */
export async function importPublicKey(pem: string): Promise<CryptoKey> {
  const key = await importSPKI(pem, "RS256").catch((cause: unknown) => {
    throw new TypeError("is not an RSA public key in SPKI PEM form (BEGIN PUBLIC KEY)", { cause });
  });

  const bits = "modulusLength" in key.algorithm ? Number(key.algorithm.modulusLength) : 0;
  if (bits < MIN_MODULUS_BITS) throw new TypeError(`has ${bits} bits; RS256 needs at least ${MIN_MODULUS_BITS}`);
  return key;
}
