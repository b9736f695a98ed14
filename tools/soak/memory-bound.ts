import type { Workerd } from "../workerd/workerd.ts";
import type { Failure } from "./failure.ts";

/**
 * So much more than after the warm-up may a process hold at the end. An isolate keeps 5,000 tokens of a kilobyte at
 * most; the rest is room for requests that came in at the same time, as memory once used is not all given back.
 */
export const MAX_GROWTH_KIB = 48 * 1024;

/** What a process held after the warm-up, and at the end. */
export type Residence = { readonly afterWarmUpKiB: number; readonly atEndKiB: number };

/** What each process holds now, in KiB; `undefined` where the system does not tell (it is read from /proc). */
export async function residentKiBOf(processes: readonly Workerd[]): Promise<readonly number[] | undefined> {
  return Promise.all(processes.map((workerd) => workerd.residentKiB())).catch(() => undefined);
}

/** Judges the memory of the processes, in the order of their places. */
export function memoryFailures(residences: readonly Residence[]): readonly Failure[] {
  return residences.flatMap(({ afterWarmUpKiB, atEndKiB }, index) => {
    const grownKiB = atEndKiB - afterWarmUpKiB;
    if (grownKiB <= MAX_GROWTH_KIB) return [];
    return [
      { check: "memory" as const, problem: `place ${index + 1} grew by ${grownKiB} KiB, more than ${MAX_GROWTH_KIB}` },
    ];
  });
}
