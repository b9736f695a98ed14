/** What the simulation assumes of users and of Cloudflare. Each value is a guess unless its constant names a source. */
export type Model = {
  /** The life of a token in seconds: `TOKEN_DURATION`. */
  readonly tokenSeconds: number;
  /** Requests that an active user sends in an hour, after the one that begins a session. */
  readonly requestsPerHour: number;
  /** Hours of a day in which a user is active, shared by all sessions. */
  readonly hoursPerDay: number;
  readonly sessionsPerDay: number;
  /** Data centres in which users arrive. */
  readonly locations: number;
  /** The fewest isolates among which a location divides requests. */
  readonly isolatesPerLocation: number;
  /** A location has one isolate for so many requests a second, if that is more. */
  readonly requestsPerSecondAndIsolate: number;
  /** After so many seconds without a request an isolate ends. */
  readonly isolateIdleSeconds: number;
  /** The mean life of a busy isolate in hours. */
  readonly isolateLifeHours: number;
  /** Whether there is a KV namespace. */
  readonly hasKv: boolean;
  /** After so many seconds a write is seen in locations other than its own. */
  readonly kvPropagationSeconds: number;
};

/** What is simulated unless the command line says otherwise. */
export const DEFAULT_MODEL: Model = {
  // The default of TOKEN_DURATION.
  tokenSeconds: 900,
  // One message to the bot every five minutes, and a request for a token with each.
  requestsPerHour: 12,
  // Two visits of half an hour.
  hoursPerDay: 1,
  sessionsPerDay: 2,
  // Users of one country: Cloudflare has more than 300 locations, and its neighbours see most of such an app.
  locations: 20,
  // One would do for a quiet Worker, as Cloudflare sends its requests to one server of a data centre
  // (blog.cloudflare.com, "Eliminating Cold Starts 2: shard and conquer", September 2025). Restarts add another.
  isolatesPerLocation: 2,
  // Cloudflare publishes no figure. An isolate could serve thousands; it is not known when it gets a neighbour.
  requestsPerSecondAndIsolate: 25,
  // "Some time after it stops receiving traffic", the same article says.
  isolateIdleSeconds: 600,
  // Deployments, releases of the runtime and memory pressure end isolates too.
  isolateLifeHours: 6,
  hasKv: true,
  // developers.cloudflare.com/kv/concepts/how-kv-works: "up to 60 seconds or more".
  kvPropagationSeconds: 60,
};

/** One hour, in milliseconds. */
export const HOUR_MS = 3_600_000;

/**
 * Sessions that begin in each hour of the day, from midnight, in parts of their mean: few at night, most in the evening.
 * All users share it, as those of one country do, which makes the highest load the highest.
 */
export const DAILY_CURVE: readonly number[] = [
  0.4, 0.2, 0.1, 0.1, 0.1, 0.2, 0.4, 0.7, 1.0, 1.3, 1.4, 1.3, 1.1, 1.2, 1.4, 1.4, 1.3, 1.2, 1.2, 1.5, 1.9, 2.0, 1.6,
  1.0,
];

/** The hour with which a simulated day begins: the quietest, so that little of the day before is missing. */
export const FIRST_HOUR = 4;

/** A user who is away (mobile network, another city) arrives in another location for a session. */
export const AWAY_CHANCE = 0.1;
/** Routes change within a session too, for single requests. */
export const STRAY_CHANCE = 0.02;
/** A second tab, or a page that loads twice, asks again while the first request may be under way. */
export const DOUBLE_CHANCE = 0.05;
export const DOUBLE_WITHIN_MS = 1000;

/** How many requests a user sends on a day, on average. */
export function requestsPerUserAndDay({ sessionsPerDay, hoursPerDay, requestsPerHour }: Model): number {
  return (sessionsPerDay + hoursPerDay * requestsPerHour) * (1 + DOUBLE_CHANCE);
}

/** The shares of users who live at each location: the second has half of those of the first, the third a third, as cities do. */
export function locationShares({ locations }: Model): readonly number[] {
  const parts = Array.from({ length: locations }, (_, index) => 1 / (index + 1));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}
