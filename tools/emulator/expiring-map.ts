/** Below this many entries a sweep is not worth its time. */
const MIN_SWEPT_ENTRIES = 1_000;

/**
 * Creates a map without the entries whose `expiresAt` (Unix seconds) is reached. `now` gives Unix milliseconds. Expired
 * entries are removed each time the map has doubled, so its memory follows the number of live entries.
 */
export function createExpiringMap<Value>(now: () => number) {
  const entries = new Map<string, { readonly value: Value; readonly expiresAt: number }>();
  let sweepAt = MIN_SWEPT_ENTRIES;

  return {
    get(key: string): Value | undefined {
      const entry = entries.get(key);
      return entry !== undefined && isLive(entry.expiresAt) ? entry.value : undefined;
    },

    set(key: string, value: Value, expiresAt: number): void {
      if (entries.size >= sweepAt) sweep();
      entries.set(key, { value, expiresAt });
    },

    delete(key: string): void {
      entries.delete(key);
    },

    /** The live entries at the time of the call, oldest first. */
    live(): [key: string, value: Value][] {
      sweep();
      return Array.from(entries, ([key, { value }]) => [key, value]);
    },
  };

  function isLive(expiresAt: number): boolean {
    return expiresAt * 1000 > now();
  }

  function sweep(): void {
    for (const [key, { expiresAt }] of entries) {
      if (!isLive(expiresAt)) entries.delete(key);
    }
    sweepAt = Math.max(MIN_SWEPT_ENTRIES, entries.size * 2);
  }
}
