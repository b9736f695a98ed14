import type { Random } from "../lib/random.ts";
import {
  AWAY_CHANCE,
  DAILY_CURVE,
  DOUBLE_CHANCE,
  DOUBLE_WITHIN_MS,
  FIRST_HOUR,
  HOUR_MS,
  locationShares,
  type Model,
  STRAY_CHANCE,
} from "./model.ts";

/** A request that a user sends: when, in milliseconds from midnight of the first day, and where it arrives. */
export type PlannedRequest = { readonly at: number; readonly user: number; readonly location: number };

const DAY_MS = 24 * HOUR_MS;

/** When the first day begins: in its quietest hour. */
export const START_MS = FIRST_HOUR * HOUR_MS;

/**
 * Plans the requests of `users` users in whole days, in their order. A session begins by the daily curve and with a
 * request; the others follow at random. Each user has random numbers of its own, whatever the others do.
 */
export function planRequests(model: Model, users: number, days: number, random: Random): PlannedRequest[] {
  const requests: PlannedRequest[] = [];
  const shares = locationShares(model);
  for (let user = 0; user < users; user += 1) {
    planUser({ model, shares, user, days, random: random.forPart(`user ${user}`) }, requests);
  }
  return requests.sort((a, b) => a.at - b.at || a.user - b.user);
}

type UserPlan = {
  readonly model: Model;
  /** Of users, for each location. */
  readonly shares: readonly number[];
  readonly user: number;
  readonly days: number;
  readonly random: Random;
};

function planUser({ model, shares, user, days, random }: UserPlan, requests: PlannedRequest[]): void {
  const sessionMs = (model.hoursPerDay / model.sessionsPerDay) * HOUR_MS;
  const meanPauseMs = HOUR_MS / model.requestsPerHour;
  const home = drawIndex(shares, random);

  for (let session = 0; session < days * model.sessionsPerDay; session += 1) {
    const day = Math.floor(session / model.sessionsPerDay);
    const start = START_MS + day * DAY_MS + drawTimeOfDay(random);
    const base = random.chance(AWAY_CHANCE) ? drawIndex(shares, random) : home;

    for (let at = start; at < start + sessionMs; at += random.exponential(meanPauseMs)) {
      const location = random.chance(STRAY_CHANCE) ? drawIndex(shares, random) : base;
      requests.push({ at, user, location });
      if (random.chance(DOUBLE_CHANCE)) requests.push({ at: at + random.next() * DOUBLE_WITHIN_MS, user, location });
    }
  }
}

/** Milliseconds from the beginning of a simulated day, by the daily curve. */
function drawTimeOfDay(random: Random): number {
  const hour = drawIndex(DAILY_CURVE, random);
  return ((hour - FIRST_HOUR + 24) % 24) * HOUR_MS + random.next() * HOUR_MS;
}

/** An index, as often as its weight says. */
function drawIndex(weights: readonly number[], random: Random): number {
  let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return index === -1 ? weights.length - 1 : index;
}
