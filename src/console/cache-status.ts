// Pure. No clock, no I/O.
import type { CacheOutcome } from "../core/token/token-request.ts";

/** What the `Cache-Status` header of a token says (RFC 9211). */
export type CacheStatus = { readonly outcome: CacheOutcome; readonly ttlSeconds: number };

/** Reads `Cache-Status`; `undefined` for a header that this service does not send. */
export function parseCacheStatus(header: string | null): CacheStatus | undefined {
  const [cache, ...parameters] = (header ?? "").split(";").map((part) => part.trim());
  const ttl = parameters.find((parameter) => /^ttl=\d+$/.test(parameter));
  const outcome = outcomeFor(parameters);
  if (cache !== "coze-token-worker" || ttl === undefined || outcome === undefined) return undefined;
  return { outcome, ttlSeconds: Number(ttl.slice("ttl=".length)) };
}

function outcomeFor(parameters: readonly string[]): CacheOutcome | undefined {
  if (parameters.includes("hit")) return parameters.includes("detail=stale-on-error") ? "stale" : "hit";
  if (!parameters.includes("fwd=miss")) return undefined;
  return parameters.includes("collapsed") ? "collapsed" : "miss";
}
