/** What is wrong with a value: a sentence that completes "NAME …". It never quotes the value. */
export type Problem = { readonly problem: string };

/** A problem with the setting of that name. */
export type SettingProblem = Problem & { readonly setting: string };

/** Tells the two outcomes of a parser apart. */
export function isProblem(outcome: unknown): outcome is Problem {
  return typeof outcome === "object" && outcome !== null && "problem" in outcome;
}
