/**
 * What Cloudflare charges, in US$: developers.cloudflare.com/workers/platform/pricing, /kv/platform/pricing and
 * /workers/observability/logs/workers-logs, as of November 2026. KV stays below the gigabyte that is included, and traffic
 * is free. Metrics are off unless wrangler.toml has their binding, and not billed yet.
 */
const PAID_PLAN = 5;
/** For each million in a month, beyond the millions that are included. */
const PRICES = {
  requests: { included: 10, price: 0.3 },
  cpuMs: { included: 30, price: 0.02 },
  kvReads: { included: 10, price: 0.5 },
  kvWrites: { included: 1, price: 5 },
  logs: { included: 20, price: 0.6 },
} as const;

/** From 1 December 2026, logs are charged by size: for each GB, and for each GB-month (developers.cloudflare.com/observability/pricing). */
const LOG_INGESTION = { included: 50, price: 0.25 } as const;
const LOG_STORAGE = { included: 12, price: 0.1 } as const;
const LOG_RETENTION_DAYS = 7;
/** A line of the Worker has 0.4 kB. Cloudflare adds attributes whose size it does not publish: a guess. */
const LOG_EVENT_BYTES = 1500;

/** What the free plan allows on a day. Its 200,000 log events, or 0.5 GB of them, last for more requests than these. */
const FREE_PER_DAY = { requests: 100_000, kvReads: 100_000, kvWrites: 1000 } as const;

/** Milliseconds of CPU, as `npm run bench` measures them: a hit from memory, and what KV and an exchange add to it. */
const REQUEST_CPU_MS = 0.12;
const KV_READ_CPU_MS = 0.2;
const EXCHANGE_CPU_MS = 0.9;

/** What the price depends on, for any time. */
export type Usage = {
  readonly requests: number;
  readonly exchanges: number;
  readonly kvReads: number;
  readonly kvWrites: number;
};

/** The price of a month in US$: of the plan, and of what is not included in it. */
export type Price = {
  readonly plan: "free" | "paid";
  /** Until 30 November 2026: the plan and all parts. */
  readonly total: number;
  readonly parts: Readonly<Record<keyof typeof PRICES, number>>;
  /** The same with logs charged by size. */
  readonly totalFromDecember: number;
};

export const DAYS_PER_MONTH = 30;

const NO_PARTS = { requests: 0, cpuMs: 0, kvReads: 0, kvWrites: 0, logs: 0 };

/** The price of a month's use. The plan is the free one if an average day is within its limits. */
export function priceOf(month: Usage): Price {
  const { requests, exchanges, kvReads, kvWrites } = month;
  const isFree =
    requests / DAYS_PER_MONTH <= FREE_PER_DAY.requests &&
    kvReads / DAYS_PER_MONTH <= FREE_PER_DAY.kvReads &&
    kvWrites / DAYS_PER_MONTH <= FREE_PER_DAY.kvWrites;
  if (isFree) return { plan: "free", total: 0, parts: NO_PARTS, totalFromDecember: 0 };

  const cpuMs = requests * REQUEST_CPU_MS + kvReads * KV_READ_CPU_MS + exchanges * EXCHANGE_CPU_MS;
  const parts = {
    requests: charge(PRICES.requests, requests / 1e6),
    cpuMs: charge(PRICES.cpuMs, cpuMs / 1e6),
    kvReads: charge(PRICES.kvReads, kvReads / 1e6),
    kvWrites: charge(PRICES.kvWrites, kvWrites / 1e6),
    // One line for each request for a token.
    logs: charge(PRICES.logs, requests / 1e6),
  };
  const total = PAID_PLAN + Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { plan: "paid", total, parts, totalFromDecember: total - parts.logs + logsBySize(requests) };
}

function logsBySize(events: number): number {
  const gigabytes = (events * LOG_EVENT_BYTES) / 1e9;
  return charge(LOG_INGESTION, gigabytes) + charge(LOG_STORAGE, (gigabytes * LOG_RETENTION_DAYS) / DAYS_PER_MONTH);
}

function charge({ included, price }: { readonly included: number; readonly price: number }, amount: number): number {
  return Math.max(0, amount - included) * price;
}
