/** The middle of some values, and how far they lie apart. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

/** Sums up at least one value; the median of an even number is the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (min === undefined || max === undefined || lower === undefined || upper === undefined) {
    throw new RangeError("There is no median of nothing.");
  }
  return { median: (lower + upper) / 2, min, max };
}
