import type { CacheOutcome, Timings, TokenResult } from "../core/token/token-request.ts";
import type { ResponseHeaders } from "./app-env.ts";

const CACHE_STATUS = {
  hit: (ttl) => `hit; ttl=${ttl}`,
  stale: (ttl) => `hit; ttl=${ttl}; detail=stale-on-error`,
  miss: (ttl) => `fwd=miss; stored; ttl=${ttl}`,
  collapsed: (ttl) => `fwd=miss; collapsed; ttl=${ttl}`,
} satisfies Record<CacheOutcome, (ttl: number) => string>;

/** Formats the `Cache-Status` header (RFC 9211): whether the token came from the cache, and its remaining seconds. */
export function cacheStatus({ cacheOutcome, ttlSeconds }: Pick<TokenResult, "cacheOutcome" | "ttlSeconds">): string {
  return `coze-token-worker; ${CACHE_STATUS[cacheOutcome](ttlSeconds)}`;
}

/**
 * Formats the `Server-Timing` header (W3C), in milliseconds. A token from memory has no timings, and so no header.
 * Signing shows as 0 on Workers, where the clock does not advance while the CPU works.
 */
export function serverTiming({ cacheMs, signMs, upstreamMs }: Timings): ResponseHeaders {
  const timings = Object.entries({ cache: cacheMs, sign: signMs, upstream: upstreamMs })
    .filter(([, duration]) => duration !== undefined)
    .map(([name, duration]) => `${name};dur=${duration}`)
    .join(", ");
  return timings === "" ? {} : { "Server-Timing": timings };
}
