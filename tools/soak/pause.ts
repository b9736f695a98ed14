import { setTimeout as sleep } from "node:timers/promises";

/** Waits so long, or until the signal. It never throws. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
