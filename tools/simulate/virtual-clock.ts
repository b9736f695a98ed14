import { createEventQueue } from "./event-queue.ts";

/** A clock that moves from one event to the next, without waiting. Times are milliseconds. */
export type VirtualClock = {
  readonly now: () => number;
  /** Resolves after the time, or at once when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Lets everything happen that is due until a time, and then sets the clock to it. */
  readonly advanceTo: (time: number) => Promise<void>;
  /** Lets everything happen that is still due. */
  readonly runOut: () => Promise<void>;
};

/** Creates a virtual clock that shows `start`. It waits for promises that need no event, so code under it must not use real I/O. */
export function createVirtualClock(start: number): VirtualClock {
  const events = createEventQueue();
  let time = start;

  return {
    now: () => time,

    sleep(milliseconds, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        events.add(time + Math.max(0, milliseconds), resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    },

    async advanceTo(end) {
      await settle();
      await runUntil(end);
      time = end;
    },

    async runOut() {
      await settle();
      await runUntil(Number.POSITIVE_INFINITY);
    },
  };

  async function runUntil(end: number): Promise<void> {
    for (let event = events.next(); event !== undefined && event.at <= end; event = events.next()) {
      events.removeNext();
      time = event.at;
      event.action();
      await settle();
    }
  }
}

/** Resolves when no promise is left that can go on by itself: immediates run after all microtasks. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
