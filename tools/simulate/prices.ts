/**
 * What Cloudflare charges, in US$: developers.cloudflare.com/workers/platform/pricing and /kv/platform/pricing, as of
 * November 2026. Storage stays below the gigabyte that is included, and traffic is free.
 */
const PAID_PLAN = 5;
/** For each million in a month, beyond the millions that are included. */
const PRICES = {
  requests: { included: 10, price: 0.3 },
  cpuMs: { included: 30, price: 0.02 },
  kvReads: { included: 10, price: 0.5 },
  kvWrites: { included: 1, price: 5 },
} as const;

/** What the free plan allows on a day. */
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
  readonly total: number;
  readonly parts: Readonly<Record<keyof typeof PRICES, number>>;
};

export const DAYS_PER_MONTH = 30;

/** The price of a month's use. The plan is the free one if an average day is within its limits. */
export function priceOf(month: Usage): Price {
  const { requests, exchanges, kvReads, kvWrites } = month;
  const isFree =
    requests / DAYS_PER_MONTH <= FREE_PER_DAY.requests &&
    kvReads / DAYS_PER_MONTH <= FREE_PER_DAY.kvReads &&
    kvWrites / DAYS_PER_MONTH <= FREE_PER_DAY.kvWrites;
  if (isFree) return { plan: "free", total: 0, parts: { requests: 0, cpuMs: 0, kvReads: 0, kvWrites: 0 } };

  const cpuMs = requests * REQUEST_CPU_MS + kvReads * KV_READ_CPU_MS + exchanges * EXCHANGE_CPU_MS;
  const parts = {
    requests: charge("requests", requests),
    cpuMs: charge("cpuMs", cpuMs),
    kvReads: charge("kvReads", kvReads),
    kvWrites: charge("kvWrites", kvWrites),
  };
  const total = PAID_PLAN + parts.requests + parts.cpuMs + parts.kvReads + parts.kvWrites;
  return { plan: "paid", total, parts };
}

function charge(kind: keyof typeof PRICES, amount: number): number {
  const { included, price } = PRICES[kind];
  return Math.max(0, amount / 1e6 - included) * price;
}
