/** A moment on both clocks, in milliseconds. */
export type Moment = { readonly wall: number; readonly steady: number };

/** NTP adjusts a clock in smaller steps. One that is set back by more no longer tells how long a machine has slept. */
const MAX_CLOCK_DRIFT_MS = 2000;

/** Reads both clocks. Mini-programs have no `performance`: their steady clock is the wall clock. */
export function readClocks(): Moment {
  const wall = Date.now();
  return { wall, steady: typeof performance === "object" ? performance.now() : wall };
}

/**
 * Returns the milliseconds since a moment, for an age that must never be too small. The steady clock may stop while the
 * machine sleeps and the wall clock may be set, so the greater age counts; after the wall clock was set back the age is
 * unknown, and infinite.
 */
export function ageMs(since: Moment): number {
  const wall = Date.now() - since.wall;
  const steady = steadyAgeMs(since);
  return wall - steady < -MAX_CLOCK_DRIFT_MS ? Infinity : Math.max(wall, steady);
}

/** Returns the milliseconds since a moment by the steady clock, for a pause, which must end on a clock that is set. */
export function steadyAgeMs(since: Moment): number {
  const age = readClocks().steady - since.steady;
  return age < 0 ? Infinity : age;
}
