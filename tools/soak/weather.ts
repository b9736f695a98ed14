import type { KvTrouble } from "../workerd/kv-server.ts";
import type { Random } from "./random.ts";
import { createFault, FAULT_KINDS, type FaultKind } from "./upstream-fault.ts";

/** A time in which Coze and KV misbehave in one way. */
export type Period = {
  readonly name: string;
  readonly milliseconds: number;
  /** What strikes at Coze, one exchange each, or all exchanges of the period. */
  readonly faults: readonly PlannedFault[];
  readonly kv: KvTrouble;
};

export type PlannedFault = {
  readonly kind: FaultKind;
  /** As the emulator's control API takes it. */
  readonly fault: object;
};

/** Weathers in which one trouble, or one of a few, strikes every exchange. */
const STEADY: Readonly<Record<string, readonly FaultKind[]>> = {
  outage: ["503", "500", "502, a page"],
  throttled: ["429", "429, Retry-After 1", "429, Retry-After 3"],
  silence: ["hangs"],
  "broken line": ["drops the connection", "drops it late"],
  garbled: ["malformed", "oversized", "internal_error under 200"],
  sluggish: ["slow"],
};

/** In them each exchange meets something else. */
const MIXED = ["gusts", "gusts again", "more gusts"];
/** So many faults wait for the exchanges of a mixed period; once they are used up, Coze is honest. */
const MIXED_FAULTS = 100;
/** Of them so many are none. */
const HONEST_SHARE = 0.4;

const KV_TROUBLES: readonly KvTrouble[] = ["none", "failing", "hanging", "slow", "stale"];

/**
 * Plans so many milliseconds of weather: each kind comes once before any comes again, in an order that the random numbers
 * give, and the troubles of KV take turns beside them. Pure.
 */
export function planWeather(totalMs: number, periodMs: number, random: Random): readonly Period[] {
  const periods: Period[] = [];
  let plannedMs = 0;
  while (plannedMs < totalMs) {
    for (const name of random.shuffled([...Object.keys(STEADY), ...MIXED, "fair"])) {
      const milliseconds = Math.min(Math.round(periodMs * (0.75 + random.next() / 2)), totalMs - plannedMs);
      if (milliseconds <= 0) return periods;
      const kv = KV_TROUBLES[periods.length % KV_TROUBLES.length] ?? "none";
      periods.push({ name, milliseconds, faults: issuesFor(name, random), kv });
      plannedMs += milliseconds;
    }
  }
  return periods;
}

function issuesFor(name: string, random: Random): readonly PlannedFault[] {
  const steady = STEADY[name];
  if (steady !== undefined) {
    const kind = random.oneOf(steady);
    return [{ kind, fault: { ...createFault(kind, random), times: null } }];
  }
  return MIXED.includes(name) ? Array.from({ length: MIXED_FAULTS }, () => mixedFault(random)) : [];
}

function mixedFault(random: Random): PlannedFault {
  const kind = random.chance(HONEST_SHARE) ? "honest" : random.oneOf(FAULT_KINDS);
  return { kind, fault: createFault(kind, random) };
}
