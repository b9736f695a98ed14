import { lru } from "tiny-lru";
import type { KeptToken } from "../core/freshness.ts";
import type { TokenMemory } from "../core/token-service.ts";

/** About a kilobyte each, of the 128 MB that an isolate has. */
export const MAX_KEPT_TOKENS = 5000;

/** Creates the memory of an isolate: the tokens asked for last, up to {@link MAX_KEPT_TOKENS} of them. */
export function createTokenMemory(maxTokens = MAX_KEPT_TOKENS): TokenMemory {
  const tokens = lru<KeptToken>(maxTokens);
  return {
    get: (key) => tokens.get(key),
    set: (key, kept) => {
      tokens.set(key, kept);
    },
    delete: (key) => {
      tokens.delete(key);
    },
  };
}
