import type { Workerd } from "../workerd/workerd.ts";
import { pause } from "./client.ts";
import type { FailedCheck } from "./recorder.ts";

/** What a process holds after the warm-up, and at the end. */
export type Residence = { readonly afterWarmUpKiB: number; readonly atEndKiB: number };

/**
 * A process may hold so much more at the end than after the warm-up. An isolate keeps 5,000 tokens of a kilobyte at most;
 * the rest is room for concurrent requests, as memory once used is not all given back.
 */
export const MAX_GROWTH_KIB = 48 * 1024;

/** In this share of a run, and no more than this time, the processes have seen every kind of request. */
const WARM_UP_SHARE = 0.25;
const MAX_WARM_UP_MS = 15_000;

/** An access token as Coze shapes it, a JWT, a PEM block. */
const SECRET = /czs_[\w-]{8}|eyJ[\w-]{8,}\.[\w-]{8,}|-----BEGIN/;

/**
 * Measures what each process holds after the warm-up of a run of so many milliseconds. The function that comes back
 * measures again; its result is empty where the run was stopped before, or the system does not tell (Linux does).
 */
export function measureMemory(processes: readonly Workerd[], runMs: number, stop: AbortSignal) {
  const warmedUp = afterWarmUp();
  return async function measureAtEnd(): Promise<readonly Residence[]> {
    const [before, atEnd] = [await warmedUp, await residentKiB(processes)];
    if (before === undefined || atEnd === undefined) return [];
    return before.map((afterWarmUpKiB, index) => ({ afterWarmUpKiB, atEndKiB: atEnd[index] ?? 0 }));
  };

  async function afterWarmUp() {
    await pause(Math.min(MAX_WARM_UP_MS, runMs * WARM_UP_SHARE), stop);
    return stop.aborted ? undefined : residentKiB(processes);
  }
}

/** Checks the memory of the processes, in the order of their places. */
export function checkMemory(residences: readonly Residence[]): readonly FailedCheck[] {
  return residences.flatMap(({ afterWarmUpKiB, atEndKiB }, index) => {
    const grownKiB = atEndKiB - afterWarmUpKiB;
    if (grownKiB <= MAX_GROWTH_KIB) return [];
    const message = `place ${index + 1} grew by ${grownKiB} KiB, more than ${MAX_GROWTH_KIB}`;
    return [{ check: "memory" as const, message }];
  });
}

/** Checks the log of a Worker: no secret is in it, and no error of its own. */
export function checkLog(lines: readonly string[]): readonly FailedCheck[] {
  return lines.flatMap((line) => [
    ...(SECRET.test(line) ? [logFailure("a secret is in the log", line)] : []),
    ...(line.includes('"level":"error"') ? [logFailure("the log tells of a bug", line)] : []),
    ...(line.includes("ncaught") ? [logFailure("an exception was not caught", line)] : []),
  ]);
}

function logFailure(what: string, line: string): FailedCheck {
  return { check: "log", message: `${what}: ${line.slice(0, 300).replaceAll(new RegExp(SECRET, "g"), "[secret]")}` };
}

async function residentKiB(processes: readonly Workerd[]): Promise<readonly number[] | undefined> {
  return Promise.all(processes.map((workerd) => workerd.residentKiB())).catch(() => undefined);
}
