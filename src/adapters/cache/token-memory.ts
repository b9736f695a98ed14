import { lru } from "tiny-lru";
import type { KeptToken } from "../../core/token/freshness.ts";
import type { TokenMemory } from "../../core/token/token-service.ts";

/** As many as are asked for between two renewals in a busy isolate. */
export const MAX_KEPT_TOKENS = 5000;

/** A fifth of the 128 MB that an isolate has, whatever the length of keys and tokens. */
export const MAX_MEMORY_BYTES = 24 * 1024 * 1024;

/** A string has at most two bytes for each of its UTF-16 units. */
const BYTES_PER_UNIT = 2;

/** The objects, digests and pointers of one entry, rounded up. */
const ENTRY_BYTES = 600;

/** Creates the memory of an isolate: the tokens asked for last, up to {@link MAX_KEPT_TOKENS} of {@link MAX_MEMORY_BYTES}. */
export function createTokenMemory(maxTokens = MAX_KEPT_TOKENS, maxBytes = MAX_MEMORY_BYTES): TokenMemory {
  const tokens = lru<KeptToken>(0);
  let bytes = 0;

  return {
    get: (key) => tokens.get(key),

    set(key, kept) {
      const replaced = tokens.get(key);
      bytes += bytesOf(key, kept) - (replaced === undefined ? 0 : bytesOf(key, replaced));
      tokens.set(key, kept);
      while (tokens.first !== null && (tokens.size > maxTokens || bytes > maxBytes)) {
        bytes -= bytesOf(tokens.first.key, tokens.first.value);
        tokens.evict();
      }
    },
  };
}

function bytesOf(key: string, { token }: KeptToken): number {
  return ENTRY_BYTES + BYTES_PER_UNIT * (key.length + token.accessToken.length);
}
