import { KV_MIN_TTL_SECONDS } from "../../src/adapters/cache/kv-token-store.ts";
import { type AccessToken, secondsLeft } from "../../src/core/token/token.ts";
import type { TokenStore } from "../../src/core/token/token-service.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Operations on KV. Cloudflare bills a read whether it finds something or not, and whether or not it is cached. */
type KvCounts = { reads: number; writes: number; refusedWrites: number };

/** Workers KV, as its locations see it. */
export type SimulatedKv = {
  readonly counts: Readonly<KvCounts>;
  readonly storeAt: (location: number) => TokenStore;
};

type Version = { readonly token: AccessToken; readonly location: number; readonly writtenAt: number };
type CachedRead = { readonly token: AccessToken | undefined; readonly until: number };

/** How long a location caches a read, misses included (default `cacheTtl`; KV: "How KV works"). */
const KV_CACHE_MS = 60_000;
/** KV allows 1 write per second to a key ("Limits"). */
const KV_WRITE_INTERVAL_MS = 1000;

/** Guesses of the order that Cloudflare reports. They matter only for requests that overlap. */
const CACHED_READ_MS = 5;
const CENTRAL_READ_MS = 100;
const WRITE_MS = 200;

/**
 * Creates a KV namespace that is consistent in the end. The location that writes sees its write at once; others see it
 * after `propagationSeconds`, and later where they have read the key shortly before, even when nothing was there.
 */
export function createSimulatedKv(clock: VirtualClock, propagationSeconds: number): SimulatedKv {
  const { now, sleep } = clock;
  const counts: KvCounts = { reads: 0, writes: 0, refusedWrites: 0 };
  const versions = new Map<string, readonly Version[]>();
  const caches = new Map<number, Map<string, CachedRead>>();

  return {
    counts,
    storeAt: (location) => ({
      async open(key) {
        return {
          token: await read(location, key),
          write(token) {
            if (secondsLeft(token, now() / 1000) < KV_MIN_TTL_SECONDS) return undefined;
            return write(location, key, token);
          },
        };
      },
    }),
  };

  async function read(location: number, key: string): Promise<AccessToken | undefined> {
    counts.reads += 1;
    const cache = cacheOf(location);
    const cached = cache.get(key);
    const isCached = cached !== undefined && now() < cached.until;
    const token = isCached ? cached.token : versions.get(key)?.findLast((version) => isSeen(version, location))?.token;
    if (!isCached) cache.set(key, { token, until: now() + KV_CACHE_MS });
    await sleep(isCached ? CACHED_READ_MS : CENTRAL_READ_MS);
    return token !== undefined && secondsLeft(token, now() / 1000) > 0 ? token : undefined;
  }

  async function write(location: number, key: string, token: AccessToken): Promise<void> {
    await sleep(WRITE_MS);
    const before = versions.get(key) ?? [];
    if (now() - (before.at(-1)?.writtenAt ?? Number.NEGATIVE_INFINITY) < KV_WRITE_INTERVAL_MS) {
      counts.refusedWrites += 1;
      return;
    }
    counts.writes += 1;
    // What every location sees hides all that is older.
    const oldest = before.findLastIndex((version) => now() - version.writtenAt >= propagationSeconds * 1000);
    versions.set(key, [...before.slice(Math.max(0, oldest)), { token, location, writtenAt: now() }]);
    cacheOf(location).set(key, { token, until: now() + KV_CACHE_MS });
  }

  function isSeen(version: Version, location: number): boolean {
    return version.location === location || now() - version.writtenAt >= propagationSeconds * 1000;
  }

  function cacheOf(location: number): Map<string, CachedRead> {
    const cache = caches.get(location) ?? new Map<string, CachedRead>();
    caches.set(location, cache);
    return cache;
  }
}
