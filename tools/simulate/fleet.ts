import type { TokenService } from "../../src/core/token/token-service.ts";
import type { Random } from "../lib/random.ts";
import { HOUR_MS, type Model } from "./model.ts";

/** The isolates of all locations. */
export type Fleet = {
  /** The isolate that gets a request which arrives now: one that runs, or a new one. */
  readonly serviceAt: (location: number) => TokenService;
};

export type FleetOptions = {
  readonly model: Model;
  readonly createIsolate: (location: number) => TokenService;
  /** Requests of all users that a location gets in a second, now. */
  readonly requestsPerSecond: (location: number) => number;
  /** The share of these that is not simulated, and keeps isolates busy all the same. */
  readonly othersShare: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly random: Random;
};

type Isolate = { readonly service: TokenService; readonly endsAt: number; lastRequestAt: number };

/** Above this many expected requests in an idle period, the chance of none is 1 in 10^13 (e^-30). */
const NEVER_IDLE = 30;

/** Creates a fleet that divides the requests of a location evenly, with more isolates where and while there is more to do. */
export function createFleet({
  model,
  createIsolate,
  requestsPerSecond,
  othersShare,
  now,
  random,
}: FleetOptions): Fleet {
  const isolates = new Map<string, Isolate>();
  const idleMs = model.isolateIdleSeconds * 1000;

  return {
    serviceAt(location) {
      const load = requestsPerSecond(location);
      const count = Math.max(model.isolatesPerLocation, Math.ceil(load / model.requestsPerSecondAndIsolate));
      const name = `${location} ${random.whole(0, count - 1)}`;
      const known = isolates.get(name);
      const isolate = known !== undefined && isRunning(known, (load * othersShare) / count) ? known : start(location);
      isolate.lastRequestAt = now();
      isolates.set(name, isolate);
      return isolate.service;
    },
  };

  function start(location: number): Isolate {
    const endsAt = now() + random.exponential(model.isolateLifeHours * HOUR_MS);
    return { service: createIsolate(location), endsAt, lastRequestAt: now() };
  }

  function isRunning({ endsAt, lastRequestAt }: Isolate, othersPerSecond: number): boolean {
    return now() < endsAt && wasBusy(now() - lastRequestAt, othersPerSecond);
  }

  /** Whether requests that are not simulated kept an isolate from being idle for too long within a time. */
  function wasBusy(milliseconds: number, othersPerSecond: number): boolean {
    if (othersPerSecond * model.isolateIdleSeconds > NEVER_IDLE) return true;
    let left = milliseconds;
    while (left > idleMs) {
      const pause = othersPerSecond > 0 ? random.exponential(1000 / othersPerSecond) : Number.POSITIVE_INFINITY;
      if (pause > idleMs) return false;
      left -= pause;
    }
    return true;
  }
}
