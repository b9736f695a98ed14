import type { Grant } from "../grant/grant.ts";
import { canonicalScope } from "../grant/scope-lists.ts";

/** The Coze app and endpoint a token comes from. */
export type TokenSource = { readonly clientId: string; readonly audience: string; readonly tokenEndpoint: string };

/** Names the token of a grant: different for every input that changes the token, equal for all that do not. */
export type CacheKeyFor = (grant: Grant) => string;

/**
 * Creates the maker of cache keys for one source of tokens. A key is a row of JSON strings, each of which says where it
 * ends, and then the user: `=` and the id, or nothing at all, which no user id can imitate.
 */
export function createCacheKeyFor({ clientId, audience, tokenEndpoint }: TokenSource): CacheKeyFor {
  const prefix = JSON.stringify([clientId, audience, tokenEndpoint]);
  return function cacheKeyFor({ userId, durationSeconds, scope }) {
    return `${prefix}${durationSeconds}${canonicalScope(scope)}${userId === undefined ? "" : `=${userId}`}`;
  };
}
