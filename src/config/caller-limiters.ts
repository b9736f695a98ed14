import { isProblem, type SettingProblem } from "../core/issue.ts";
import { parseRateLimiter, tableOf } from "./setting-parsers.ts";

/** The rate-limit bindings that callers name as their `limiter`, by name, and the names that are none. */
export type CallerLimiters = {
  readonly bindings: ReadonlyMap<string, RateLimit>;
  readonly problems: readonly SettingProblem[];
};

/** Finds the rate-limit bindings that callers name as their `limiter`, so that no limit that is meant stays out. */
export function findCallerLimiters(env: Readonly<Record<string, unknown>>): CallerLimiters {
  const bindings = new Map<string, RateLimit>();
  const problems: SettingProblem[] = [];
  for (const [index, name] of limiterNames(env["CALLERS"]).entries()) {
    if (typeof name !== "string") continue;

    const binding = parseRateLimiter(env[name]);
    if (binding !== undefined && !isProblem(binding)) bindings.set(name, binding);
    else
      problems.push({ setting: `CALLERS[${index}].limiter`, problem: "names no rate-limit binding of wrangler.toml" });
  }
  return { bindings, problems };
}

/** The `limiter` of each caller; whatever else is wrong with the callers is a matter of their own parser. */
export function limiterNames(callers: unknown): readonly unknown[] {
  const list = tableOf(callers);
  if (!Array.isArray(list)) return [];
  // Any value but null and undefined can be asked for a property.
  return list.map((caller: unknown) => (caller as { readonly limiter?: unknown } | null | undefined)?.limiter);
}
