const encoder = new TextEncoder();

/** Computes the SHA-256 of a credential. */
export function digestCredential(credential: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", encoder.encode(credential));
}

/** Creates a constant-time comparison of a digest with the SHA-256 of an API key, 64 hexadecimal digits. */
export function createKeyMatcher(keySha256: string): (digest: ArrayBuffer) => boolean {
  const expected = Buffer.from(keySha256, "hex");
  return function matchesKey(digest) {
    return crypto.subtle.timingSafeEqual(digest, expected);
  };
}
