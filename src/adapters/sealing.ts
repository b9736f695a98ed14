/** The secrets of the KV cache. Both follow from the private key, so there is nothing more to configure. */
export type CacheSecrets = {
  /** HMAC-SHA-256, names entries. Bytes, because `node:crypto` hashes them at once, without a promise. */
  readonly nameKey: Uint8Array;
  /** AES-256-GCM, seals values. */
  readonly valueKey: CryptoKey;
};

/** NIST SP 800-38D §8.2: 96 bits, random for each value. */
const IV_BYTES = 12;

/** As long as what SHA-256 gives. */
const KEY_BITS = 256;

/** Derives the secrets of the cache by HKDF-SHA-256 (RFC 5869), one `info` for each use. */
export async function deriveCacheSecrets(derivationKey: CryptoKey): Promise<CacheSecrets> {
  const [nameKey, valueKey] = await Promise.all([
    deriveBytes(derivationKey, "coze-token-worker cache name v1"),
    crypto.subtle.deriveKey(
      hkdf("coze-token-worker cache value v1"),
      derivationKey,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    ),
  ]);
  return { nameKey, valueKey };
}

/** Derives the key under which user ids are digested for the log. */
export async function deriveLogKey(derivationKey: CryptoKey): Promise<Uint8Array> {
  return deriveBytes(derivationKey, "coze-token-worker log v1");
}

/** Encrypts a text under the name it is stored by, which it can then be opened with only. Layout: IV, then ciphertext and tag. */
export async function seal(secrets: CacheSecrets, name: string, text: string): Promise<ArrayBuffer> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const ciphertext = await crypto.subtle.encrypt(gcm(iv, name), secrets.valueKey, new TextEncoder().encode(text));
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
  return new TextDecoder().decode(text);
}

async function deriveBytes(derivationKey: CryptoKey, info: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.deriveBits(hkdf(info), derivationKey, KEY_BITS));
}

function hkdf(info: string) {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(info) };
}

function gcm(iv: Uint8Array<ArrayBuffer>, name: string) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) };
}
