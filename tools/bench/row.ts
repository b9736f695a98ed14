import type { Bench } from "./bench.ts";
import type { Spread } from "./statistics.ts";

/** One line of the table: something that is measured, and what it may come to. */
export type Row = {
  /** What `--row` calls it. */
  readonly name: string;
  readonly what: string;
  readonly budget: Budget;
  readonly measure: (bench: Bench) => Promise<Measurement>;
};

/** What the median has to keep to. */
export type Budget = { readonly rule: keyof typeof RULES; readonly limit: number; readonly unit?: string };

/** What came of a row. Figures stand beside it where a baseline ran as well. */
export type Measurement = {
  readonly value: Spread;
  readonly ours?: Figures;
  readonly baseline?: Figures;
};

/** Medians over the rounds. */
export type Figures = {
  /** CPU time of the workerd process for one request, in microseconds. */
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
};

/** A row that has been measured. */
export type Outcome = { readonly row: Row; readonly measurement: Measurement };

const RULES = {
  "at least": (value, limit) => value >= limit,
  "at most": (value, limit) => value <= limit,
  exactly: (value, limit) => value === limit,
} satisfies Record<string, (value: number, limit: number) => boolean>;

/** Tells whether a row has kept to its budget. */
export function isMet({ row: { budget }, measurement }: Outcome): boolean {
  const isWithin: (value: number, limit: number) => boolean = RULES[budget.rule];
  return isWithin(measurement.value.median, budget.limit);
}
