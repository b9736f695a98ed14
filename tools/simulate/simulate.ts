import { createRandom } from "../lib/random.ts";
import { type Model, requestsPerUserAndDay } from "./model.ts";
import { planRequests } from "./plan-requests.ts";
import { DAYS_PER_MONTH, type Price, priceOf, type Usage } from "./prices.ts";
import { type Counts, runRequests } from "./run-requests.ts";

/** A month of a service, computed from a sample of its users and days. */
export type SimulatedMonth = {
  readonly users: number;
  readonly tokenSeconds: number;
  readonly sample: Sample;
  /** As counted, for the sample. */
  readonly counts: Counts;
  /** Scaled to all users and 30 days. */
  readonly month: Usage;
  readonly price: Price;
};

/** The users and days that are simulated one by one. */
type Sample = { readonly users: number; readonly days: number };

export type SimulateOptions = {
  readonly users: number;
  readonly seed: number;
  /** About how many requests to simulate at most. */
  readonly maxRequests: number;
  /** Called now and then with the part that is done, from 0 to 1. */
  readonly onProgress?: (done: number) => void;
};

/** A sample has this many days, if the requests suffice, before it has more users: days differ less than users. */
const MIN_DAYS = 3;

/** Simulates a month. The same model and options give the same figures. */
export async function simulate(model: Model, options: SimulateOptions): Promise<SimulatedMonth> {
  const { users, seed, maxRequests, onProgress } = options;
  const sample = sampleFor(model, users, maxRequests);
  const random = createRandom(seed);
  const requests = planRequests(model, sample.users, sample.days, random);
  const counts = await runRequests(requests, {
    model,
    users,
    sampledUsers: sample.users,
    random,
    onProgress: (sent) => onProgress?.(sent / requests.length),
  });
  const month = scaled(counts, (users / sample.users) * (DAYS_PER_MONTH / sample.days));
  return { users, tokenSeconds: model.tokenSeconds, sample, counts, month, price: priceOf(month) };
}

/** All users for a month, if that is not too much; else fewer days, and then fewer users. */
export function sampleFor(model: Model, users: number, maxRequests: number): Sample {
  const userDays = Math.max(1, Math.floor(maxRequests / requestsPerUserAndDay(model)));
  const sampledUsers = Math.min(users, Math.max(1, Math.floor(userDays / MIN_DAYS)));
  const days = Math.min(DAYS_PER_MONTH, Math.max(1, Math.floor(userDays / sampledUsers)));
  return { users: sampledUsers, days };
}

function scaled({ requests, exchanges, kvReads, kvWrites }: Counts, factor: number): Usage {
  return {
    requests: requests * factor,
    exchanges: exchanges * factor,
    kvReads: kvReads * factor,
    kvWrites: kvWrites * factor,
  };
}
