import { base64url } from "jose";

/** The keys of the KV cache. Both are derived from the private key, so there is nothing else to configure. */
export type CacheSecrets = {
  /** HMAC-SHA-256, for the names of entries. */
  readonly nameKey: CryptoKey;
  /** AES-256-GCM, for their values. */
  readonly valueKey: CryptoKey;
};

/** NIST SP 800-38D §8.2: 96 bits, random for each value. */
const IV_BYTES = 12;

/** The output length of SHA-256. */
const KEY_BITS = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Derives the keys of the cache with HKDF-SHA-256 (RFC 5869), with a separate `info` for each. */
export async function deriveCacheSecrets(derivationKey: CryptoKey): Promise<CacheSecrets> {
  const [nameKey, valueKey] = await Promise.all([
    deriveHmacKey(derivationKey, "coze-token-worker cache name v1"),
    crypto.subtle.deriveKey(
      hkdf("coze-token-worker cache value v1"),
      derivationKey,
      { name: "AES-GCM", length: KEY_BITS },
      false,
      ["encrypt", "decrypt"],
    ),
  ]);
  return { nameKey, valueKey };
}

/** Derives the HMAC-SHA-256 key for the digests of user ids in the log. */
export async function deriveLogKey(derivationKey: CryptoKey): Promise<CryptoKey> {
  return deriveHmacKey(derivationKey, "coze-token-worker log v1");
}

/** Computes the name of an entry: the HMAC-SHA-256 of its cache key in base64url, which does not reveal the user. */
export async function entryName({ nameKey }: CacheSecrets, key: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.sign("HMAC", nameKey, encoder.encode(key))));
}

/**
 * Encrypts a value with AES-256-GCM; the entry name is additional data, so it decrypts only under that name.
 * @returns the IV, followed by the ciphertext with its tag.
 */
export async function seal(secrets: CacheSecrets, name: string, value: string): Promise<ArrayBuffer> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const ciphertext = await crypto.subtle.encrypt(gcm(iv, name), secrets.valueKey, encoder.encode(value));
  const sealed = new Uint8Array(IV_BYTES + ciphertext.byteLength);
  sealed.set(iv);
  sealed.set(new Uint8Array(ciphertext), IV_BYTES);
  return sealed.buffer;
}

/** Decrypts the output of {@link seal}. Rejects if it was changed or truncated, or sealed under another name or key. */
export async function open(secrets: CacheSecrets, name: string, sealed: ArrayBuffer): Promise<string> {
  const iv = new Uint8Array(sealed, 0, Math.min(IV_BYTES, sealed.byteLength));
  const ciphertext = new Uint8Array(sealed, iv.byteLength);
  return decoder.decode(await crypto.subtle.decrypt(gcm(iv, name), secrets.valueKey, ciphertext));
}

async function deriveHmacKey(derivationKey: CryptoKey, info: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256", length: KEY_BITS };
  return crypto.subtle.deriveKey(hkdf(info), derivationKey, algorithm, false, ["sign"]);
}

function hkdf(info: string) {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) };
}

function gcm(iv: Uint8Array<ArrayBuffer>, name: string) {
  return { name: "AES-GCM", iv, additionalData: encoder.encode(name) };
}
