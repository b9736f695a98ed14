import type { CachedToken } from "../../core/token/freshness.ts";
import type { TokenMemory } from "../../core/token/token-service.ts";

/** The number of users that a busy isolate serves between two renewals of a token. */
export const MAX_CACHED_TOKENS = 5000;

/** A fifth of the 128 MB of an isolate, however long keys and tokens are. */
const MAX_MEMORY_BYTES = 24 * 1024 * 1024;

/** A string takes at most two bytes for each UTF-16 code unit. */
const BYTES_PER_UNIT = 2;

/** Objects, digests and pointers of one entry, rounded up. */
const ENTRY_BYTES = 600;

/** Creates the LRU cache of an isolate, with at most `maxTokens` tokens and about `maxBytes` bytes. */
export function createTokenMemory(maxTokens = MAX_CACHED_TOKENS, maxBytes = MAX_MEMORY_BYTES): TokenMemory {
  /** In the order of their last use, as a Map lists its entries in the order in which they were set. */
  const tokens = new Map<string, CachedToken>();
  let bytes = 0;

  return {
    get(key) {
      const cached = tokens.get(key);
      if (cached === undefined) return undefined;
      tokens.delete(key);
      tokens.set(key, cached);
      return cached;
    },

    set(key, cached) {
      remove(key, tokens.get(key));
      tokens.set(key, cached);
      bytes += entryBytes(key, cached);
      for (const [oldest, token] of tokens) {
        if (tokens.size <= maxTokens && bytes <= maxBytes) return;
        remove(oldest, token);
      }
    },
  };

  function remove(key: string, cached: CachedToken | undefined): void {
    if (cached === undefined) return;
    tokens.delete(key);
    bytes -= entryBytes(key, cached);
  }
}

function entryBytes(key: string, { token }: CachedToken): number {
  return ENTRY_BYTES + BYTES_PER_UNIT * (key.length + token.accessToken.length);
}
