import type { Bench } from "./bench.ts";

/** One line of the table: something that is measured, and its budget. */
export type Row = {
  /** What `--row` calls it. */
  readonly name: string;
  readonly what: string;
  readonly budget: Budget;
  readonly measure: (bench: Bench) => Promise<Measurement>;
};

/** The rule that the median must meet. */
export type Budget = { readonly rule: keyof typeof RULES; readonly limit: number; readonly unit?: string };

/** The result of a row, with figures where a baseline ran as well. */
export type Measurement = {
  readonly value: Spread;
  readonly ours?: Figures;
  readonly baseline?: Figures;
};

/** The median of some values, and how far they spread. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

/** Medians over the rounds. */
export type Figures = {
  /** CPU time of the workerd process for one request, in microseconds. */
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
};

/** A row that has been measured. */
export type MeasuredRow = { readonly row: Row; readonly measurement: Measurement };

const RULES = {
  "at least": (value, limit) => value >= limit,
  "at most": (value, limit) => value <= limit,
  exactly: (value, limit) => value === limit,
} satisfies Record<string, (value: number, limit: number) => boolean>;

/** Tells whether a row is within its budget. */
export function isMet({ row: { budget }, measurement }: MeasuredRow): boolean {
  const isWithin: (value: number, limit: number) => boolean = RULES[budget.rule];
  return isWithin(measurement.value.median, budget.limit);
}

/** Sums up at least one value; the median of an even number is the mean of the middle two. */
export function spreadFor(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (min === undefined || max === undefined || lower === undefined || upper === undefined) {
    throw new RangeError("There is no median of no values.");
  }
  return { median: (lower + upper) / 2, min, max };
}

/**
 * Makes sure that a row measured what its name says.
 * @throws Error that names what was counted, when it is another number than expected.
 */
export function expectCount(counted: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`Not measured: there were ${count} ${counted}, where ${expected} should be.`);
}
