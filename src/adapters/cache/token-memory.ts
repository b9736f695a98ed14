import { lru } from "tiny-lru";
import type { CachedToken } from "../../core/token/freshness.ts";
import type { TokenMemory } from "../../core/token/token-service.ts";

/** The number of users that a busy isolate serves between two renewals of a token. */
export const MAX_CACHED_TOKENS = 5000;

/** A fifth of the 128 MB of an isolate, however long keys and tokens are. */
export const MAX_MEMORY_BYTES = 24 * 1024 * 1024;

/** A string takes at most two bytes for each UTF-16 code unit. */
const BYTES_PER_UNIT = 2;

/** Objects, digests and pointers of one entry, rounded up. */
const ENTRY_BYTES = 600;

/** Creates the LRU cache of an isolate, with at most `maxTokens` tokens and about `maxBytes` bytes. */
export function createTokenMemory(maxTokens = MAX_CACHED_TOKENS, maxBytes = MAX_MEMORY_BYTES): TokenMemory {
  const tokens = lru<CachedToken>(0);
  let bytes = 0;

  return {
    get: (key) => tokens.get(key),

    set(key, cached) {
      const replaced = tokens.get(key);
      bytes += entryBytes(key, cached) - (replaced === undefined ? 0 : entryBytes(key, replaced));
      tokens.set(key, cached);
      while (tokens.first !== null && (tokens.size > maxTokens || bytes > maxBytes)) {
        bytes -= entryBytes(tokens.first.key, tokens.first.value);
        tokens.evict();
      }
    },
  };
}

function entryBytes(key: string, { token }: CachedToken): number {
  return ENTRY_BYTES + BYTES_PER_UNIT * (key.length + token.accessToken.length);
}
