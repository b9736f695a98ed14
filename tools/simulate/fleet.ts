import type { TokenService } from "../../src/core/token/token-service.ts";
import type { Random } from "../lib/random.ts";
import type { Model } from "./model.ts";
import { exponential } from "./plan-requests.ts";

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

const HOUR_MS = 3_600_000;
/** With so many requests expected in the time after which an isolate ends, none would be one in 10^13. */
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
    const endsAt = now() + exponential(model.isolateLifeHours * HOUR_MS, random.next());
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
      const pause = othersPerSecond > 0 ? exponential(1000 / othersPerSecond, random.next()) : Number.POSITIVE_INFINITY;
      if (pause > idleMs) return false;
      left -= pause;
    }
    return true;
  }
}
