import { TokenError } from "./token-error.ts";

/** Work that several requests wait for. */
type Flight<Result> = { readonly result: Promise<Result>; readonly deadline: number };

/** What single flight needs of the world. */
export type FlightPorts = {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Resolves after the time, or at once when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

/** Keeps work going after the request that began it has been answered, or left. */
export type WaitUntil = (work: Promise<unknown>) => void;

export type Flights<Result> = {
  /** Whether work for the key is under way. */
  readonly isUnderWay: (key: string) => boolean;
  /** Begins work that others may follow. */
  readonly lead: (key: string, work: () => Promise<Result>, waitUntil: WaitUntil) => Promise<Result>;
  /**
   * Waits for the work under way, until `deadline` in Unix milliseconds at most. `undefined` when there is none, or when
   * it came to no end by then.
   * @throws TokenError when the work throws one; any other error is the runtime's, and no outcome of the work.
   */
  readonly follow: (key: string, deadline?: number) => Promise<Result | undefined>;
};

/**
 * Creates single flight within an isolate: concurrent requests for one key share one piece of work.
 *
 * On Workers a promise belongs to the request that made it, and may never settle once that request is gone. So the
 * leader's work is kept alive beyond its request, each flight has a deadline, and a follower races a timer of its own.
 * Whatever becomes of a leader, nothing of it stays behind: its flight is forgotten when the work ends, and ignored
 * after its deadline.
 */
export function createFlights<Result>(lifetimeMs: number, { now, sleep }: FlightPorts): Flights<Result> {
  const flights = new Map<string, Flight<Result>>();

  return {
    isUnderWay: (key) => current(key) !== undefined,

    lead(key, work, waitUntil) {
      const flight = { result: work(), deadline: now() + lifetimeMs };
      const forgetIt = () => forget(key, flight);
      flights.set(key, flight);
      waitUntil(flight.result.then(forgetIt, forgetIt));
      return flight.result;
    },

    async follow(key, deadline = Number.POSITIVE_INFINITY) {
      const flight = current(key);
      if (flight === undefined) return undefined;

      const answered = new AbortController();
      const waitMs = Math.min(flight.deadline, deadline) - now();
      const tooLate = sleep(waitMs, answered.signal).then(() => undefined);
      try {
        const result = await Promise.race([flight.result, tooLate]);
        // Who runs out of time leaves it to those who have more.
        if (result === undefined && deadline >= flight.deadline) forget(key, flight);
        return result;
      } catch (error) {
        if (error instanceof TokenError) throw error;
        // The runtime's own error: the promise outlived its request.
        forget(key, flight);
        return undefined;
      } finally {
        answered.abort();
      }
    },
  };

  function current(key: string): Flight<Result> | undefined {
    const flight = flights.get(key);
    return flight !== undefined && now() < flight.deadline ? flight : undefined;
  }

  function forget(key: string, flight: Flight<Result>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }
}
