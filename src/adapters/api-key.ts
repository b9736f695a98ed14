const encoder = new TextEncoder();

/** Tells whether an API key is the one with this SHA-256, in lower-case hexadecimal, in constant time. */
export type MatchKey = (keySha256: string) => boolean;

/** Hashes a credential, to be compared with the digests of many keys. */
export async function createKeyMatcher(credential: string): Promise<MatchKey> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(credential));
  // As texts, so that the digests of the settings need not be decoded for each request.
  const hexadecimal = encoder.encode(Buffer.from(digest).toString("hex"));
  return function matchesKey(keySha256) {
    return crypto.subtle.timingSafeEqual(hexadecimal, encoder.encode(keySha256));
  };
}
