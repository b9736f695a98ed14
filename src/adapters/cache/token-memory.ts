import { lru } from "tiny-lru";
import type { CachedToken } from "../../core/token/freshness.ts";
import type { TokenMemory } from "../../core/token/token-service.ts";

/** As many as are asked for between two renewals in a busy isolate. */
export const MAX_CACHED_TOKENS = 5000;

/** A fifth of the 128 MB that an isolate has, whatever the length of keys and tokens. */
export const MAX_MEMORY_BYTES = 24 * 1024 * 1024;

/** A string has at most two bytes for each of its UTF-16 units. */
const BYTES_PER_UNIT = 2;

/** The objects, digests and pointers of one entry, rounded up. */
const ENTRY_BYTES = 600;

/** Creates the memory of an isolate: the tokens asked for last, up to {@link MAX_CACHED_TOKENS} of {@link MAX_MEMORY_BYTES}. */
export function createTokenMemory(maxTokens = MAX_CACHED_TOKENS, maxBytes = MAX_MEMORY_BYTES): TokenMemory {
  const tokens = lru<CachedToken>(0);
  let bytes = 0;

  return {
    get: (key) => tokens.get(key),

    set(key, cached) {
      const replaced = tokens.get(key);
      bytes += bytesOf(key, cached) - (replaced === undefined ? 0 : bytesOf(key, replaced));
      tokens.set(key, cached);
      while (tokens.first !== null && (tokens.size > maxTokens || bytes > maxBytes)) {
        bytes -= bytesOf(tokens.first.key, tokens.first.value);
        tokens.evict();
      }
    },
  };
}

function bytesOf(key: string, { token }: CachedToken): number {
  return ENTRY_BYTES + BYTES_PER_UNIT * (key.length + token.accessToken.length);
}
