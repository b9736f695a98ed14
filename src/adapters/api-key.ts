const encoder = new TextEncoder();

/** Tells whether an API key is the one with this SHA-256, in hexadecimal, in constant time. */
export type MatchKey = (keySha256: string) => boolean;

/** The digests of the settings, as bytes: they are few, and compared with each request. */
const knownDigests = new Map<string, Uint8Array>();

/** Hashes a credential, to be compared with the digests of many keys. */
export async function createKeyMatcher(credential: string): Promise<MatchKey> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(credential));
  return function matchesKey(keySha256) {
    return crypto.subtle.timingSafeEqual(digest, bytesOf(keySha256));
  };
}

function bytesOf(keySha256: string): Uint8Array {
  const known = knownDigests.get(keySha256);
  if (known !== undefined) return known;

  const bytes = Buffer.from(keySha256, "hex");
  knownDigests.set(keySha256, bytes);
  return bytes;
}
