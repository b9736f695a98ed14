import { createHash, timingSafeEqual } from "node:crypto";

/** Tells whether an API key is the one with this SHA-256, in lower-case hexadecimal, in constant time. */
export type MatchKey = (keySha256: string) => boolean;

/** Hashes a credential, to be compared with the digests of many keys. */
export function createKeyMatcher(credential: string): MatchKey {
  const digest = createHash("sha256").update(credential).digest();
  return function matchesKey(keySha256) {
    return timingSafeEqual(digest, Buffer.from(keySha256, "hex"));
  };
}
