import { TokenError } from "./token-error.ts";

/** Work that several requests wait for. */
type Flight<Result> = { readonly result: Promise<Result>; readonly deadline: number };

/** What single flight needs of the world. */
export type SingleFlightPorts = {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Resolves after the time, or at once when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

/** Keeps work going after the response, and after the client has left (Workers: `waitUntil`). */
export type WaitUntil = (work: Promise<unknown>) => void;

export type SingleFlight<Result> = {
  /** Whether work for the key is under way. */
  readonly isUnderWay: (key: string) => boolean;
  /** Starts work that other requests can join. */
  readonly start: (key: string, work: () => Promise<Result>, waitUntil: WaitUntil) => Promise<Result>;
  /**
   * Waits for the work under way, until `deadline` in Unix milliseconds at most. `undefined` when there is none, or when
   * it came to no end by then.
   * @throws TokenError when the work throws one; any other error is the runtime's, and no outcome of the work.
   */
  readonly join: (key: string, deadline?: number) => Promise<Result | undefined>;
};

/**
 * Creates single flight within an isolate: concurrent requests for one key share one piece of work.
 *
 * On Workers a promise belongs to the request that made it, and may never settle once that request is gone. So the work
 * continues beyond its request, each flight has a deadline, and a request that joins races a timer of its own. Whatever
 * becomes of the first request, nothing of it stays behind: the flight is forgotten when the work ends, and ignored
 * after its deadline.
 */
export function createSingleFlight<Result>(
  lifetimeMs: number,
  { now, sleep }: SingleFlightPorts,
): SingleFlight<Result> {
  const flights = new Map<string, Flight<Result>>();

  return {
    isUnderWay: (key) => current(key) !== undefined,

    start(key, work, waitUntil) {
      const flight = { result: work(), deadline: now() + lifetimeMs };
      const forgetFlight = () => forget(key, flight);
      flights.set(key, flight);
      waitUntil(flight.result.then(forgetFlight, forgetFlight));
      return flight.result;
    },

    async join(key, deadline = Number.POSITIVE_INFINITY) {
      const flight = current(key);
      if (flight === undefined) return undefined;

      const settled = new AbortController();
      const waitMs = Math.min(flight.deadline, deadline) - now();
      const tooLate = sleep(waitMs, settled.signal).then(() => undefined);
      try {
        const result = await Promise.race([flight.result, tooLate]);
        // A request that runs out of time leaves the flight to the others.
        if (result === undefined && deadline >= flight.deadline) forget(key, flight);
        return result;
      } catch (error) {
        if (error instanceof TokenError) throw error;
        // The runtime's own error: the promise outlived its request.
        forget(key, flight);
        return undefined;
      } finally {
        settled.abort();
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
