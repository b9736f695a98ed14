const encoder = new TextEncoder();

/** Tells whether a digest is that of an API key, in constant time. */
export type MatchKey = (digest: ArrayBuffer) => boolean;

/** The SHA-256 of a credential. */
export function digestCredential(credential: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", encoder.encode(credential));
}

/** Creates the matcher of the key with this SHA-256, 64 hexadecimal digits. */
export function createKeyMatcher(keySha256: string): MatchKey {
  const expected = Buffer.from(keySha256, "hex");
  return function matchesKey(digest) {
    return crypto.subtle.timingSafeEqual(digest, expected);
  };
}
