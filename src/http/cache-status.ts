import type { CacheOutcome, Timings, TokenResult } from "../core/token/token-request.ts";
import type { ResponseHeaders } from "./app-env.ts";

const CACHE_STATUS = {
  hit: (ttl) => `hit; ttl=${ttl}`,
  stale: (ttl) => `hit; ttl=${ttl}; detail=stale-on-error`,
  miss: (ttl) => `fwd=miss; stored; ttl=${ttl}`,
  collapsed: (ttl) => `fwd=miss; collapsed; ttl=${ttl}`,
} satisfies Record<CacheOutcome, (ttl: number) => string>;

/** Tells how a token was come by, as `Cache-Status` (RFC 9211). */
export function cacheStatus({ cacheOutcome, ttlSeconds }: TokenResult): string {
  return `coze-token-worker; ${CACHE_STATUS[cacheOutcome](ttlSeconds)}`;
}

/**
 * Tells what took how many milliseconds, as `Server-Timing` (W3C); from memory nothing takes any, and there is no header.
 * On Workers the clock stands still while the CPU works, so signing takes no time there.
 */
export function serverTiming({ cacheMs, signMs, upstreamMs }: Timings): ResponseHeaders {
  const timings = Object.entries({ cache: cacheMs, sign: signMs, upstream: upstreamMs })
    .filter(([, duration]) => duration !== undefined)
    .map(([name, duration]) => `${name};dur=${duration}`)
    .join(", ");
  return timings === "" ? {} : { "Server-Timing": timings };
}
