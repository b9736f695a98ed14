import { base64url } from "jose";

/** The secrets of the KV cache. Both follow from the private key, so there is nothing more to configure. */
export type CacheSecrets = {
  /** HMAC-SHA-256, names entries. */
  readonly nameKey: CryptoKey;
  /** AES-256-GCM, seals values. */
  readonly valueKey: CryptoKey;
};

/** NIST SP 800-38D §8.2: 96 bits, random for each value. */
const IV_BYTES = 12;

/** As long as what SHA-256 gives. */
const KEY_BITS = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Derives the secrets of the cache by HKDF-SHA-256 (RFC 5869), one `info` for each use. */
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

/** Derives the key under which user ids are digested for the log: HMAC-SHA-256. */
export async function deriveLogKey(derivationKey: CryptoKey): Promise<CryptoKey> {
  return deriveHmacKey(derivationKey, "coze-token-worker log v1");
}

/** Names the entry of a cache key: its HMAC-SHA-256 in base64url, so that nobody can read from it whose it is. */
export async function entryName({ nameKey }: CacheSecrets, key: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.sign("HMAC", nameKey, encoder.encode(key))));
}

/** Encrypts a text under the name it is stored by, which it can then be opened with only. Layout: IV, then ciphertext and tag. */
export async function seal(secrets: CacheSecrets, name: string, text: string): Promise<ArrayBuffer> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const ciphertext = await crypto.subtle.encrypt(gcm(iv, name), secrets.valueKey, encoder.encode(text));
  const sealed = new Uint8Array(IV_BYTES + ciphertext.byteLength);
  sealed.set(iv);
  sealed.set(new Uint8Array(ciphertext), IV_BYTES);
  return sealed.buffer;
}

/** Opens what {@link seal} made; rejects for anything changed, cut, or sealed under another name or key. */
export async function open(secrets: CacheSecrets, name: string, sealed: ArrayBuffer): Promise<string> {
  const iv = new Uint8Array(sealed, 0, Math.min(IV_BYTES, sealed.byteLength));
  const ciphertext = new Uint8Array(sealed, iv.byteLength);
  const text = await crypto.subtle.decrypt(gcm(iv, name), secrets.valueKey, ciphertext);
  return decoder.decode(text);
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
