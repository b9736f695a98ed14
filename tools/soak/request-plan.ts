import type { Random } from "../lib/random.ts";
import type { Leave } from "./client.ts";

/** What a client does next. */
export type PlannedRequest = {
  /** Before the request. */
  readonly pauseMs: number;
  readonly place: number;
  readonly user: string | undefined;
  readonly durationSeconds: number | undefined;
  readonly leave: Leave | undefined;
};

export type RequestChoices = {
  readonly places: number;
  readonly users: readonly (string | undefined)[];
  /** `undefined`: as the settings have it. */
  readonly durationsSeconds: readonly (number | undefined)[];
};

const MAX_PAUSE_MS = 200;
/** The first few users request far more often than the others, so that requests for one token meet. */
const HOT_USERS = 4;
const HOT_SHARE = 0.25;
const LEAVING_SHARE = 0.08;
/** Some leave before anything happens, or while KV is read, and some in the middle of an exchange that takes long. */
const LEAVE_AFTER_MS = [5, 50, 1000];

/** Ids that a careless cache key confuses with each other, or with something else. */
const CONFUSABLE_IDS: readonly string[] = [
  "ada",
  "Ada",
  "ada ada",
  "ada%20ada",
  "ada,ada",
  '"ada"',
  "null",
  "undefined",
  "0",
  "__proto__",
  "constructor",
  "{}",
  "[]",
  "v1:ada",
  "../ada",
  "%E8%89%BE%E8%BE%BE",
  "a".repeat(128),
  `${"a".repeat(127)}b`,
];

/** So many users; the first is `undefined`: the session that all requests without a user share. */
export function createUsers(count: number): readonly (string | undefined)[] {
  const ordinary = Array.from({ length: count }, (_, index) => `user-${index + 1}`);
  return [undefined, ...CONFUSABLE_IDS, ...ordinary].slice(0, count);
}

/** Plans the next request of a client. Pure, but for the random numbers. */
export function planRequest({ places, users, durationsSeconds }: RequestChoices, random: Random): PlannedRequest {
  return {
    pauseMs: random.whole(0, MAX_PAUSE_MS),
    place: random.whole(0, places - 1),
    user: random.oneOf(random.chance(HOT_SHARE) ? users.slice(0, HOT_USERS) : users),
    durationSeconds: random.oneOf(durationsSeconds),
    leave: random.chance(LEAVING_SHARE)
      ? { by: random.oneOf(["edge", "socket"]), afterMs: random.whole(1, random.oneOf(LEAVE_AFTER_MS)) }
      : undefined,
  };
}
