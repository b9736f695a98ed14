/** Counts of what happened in a run, by group and name, and how long answers took. */
export type Tally = {
  readonly count: (group: Group, name: string, times?: number) => void;
  readonly of: (group: Group, name: string) => number;
  /** Names and counts of a group, the most frequent first. */
  readonly counts: (group: Group) => readonly (readonly [name: string, count: number])[];
  readonly total: (group: Group) => number;
  readonly noteLatency: (milliseconds: number) => void;
  /** The time within which such a share of the answers came; 0 while there is none. */
  readonly latencyMs: (share: number) => number;
};

/** What is counted. */
export type Group =
  | "request"
  | "outcome"
  | "cache status"
  | "error"
  | "left"
  | "armed"
  | "struck"
  | "weather"
  | "KV"
  | "token";

export function createTally(): Tally {
  const groups = new Map<Group, Map<string, number>>();
  const latencies: number[] = [];
  let sorted = true;

  return {
    count(group, name, times = 1) {
      const counts = groups.get(group) ?? new Map<string, number>();
      groups.set(group, counts.set(name, (counts.get(name) ?? 0) + times));
    },
    of: (group, name) => groups.get(group)?.get(name) ?? 0,
    counts: (group) => [...(groups.get(group) ?? [])].sort(([, a], [, b]) => b - a),
    total: (group) => [...(groups.get(group)?.values() ?? [])].reduce((sum, count) => sum + count, 0),
    noteLatency(milliseconds) {
      latencies.push(milliseconds);
      sorted = false;
    },
    latencyMs(share) {
      if (!sorted) latencies.sort((a, b) => a - b);
      sorted = true;
      return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
    },
  };
}
