import type { Issue, Parsed } from "../core/issue.ts";
import { parseRateLimiter, parseTable } from "./setting-parsers.ts";

/** Finds the rate-limit bindings that callers name as their `limiter`, by name, so that no limit that is meant stays out. */
export function parseCallerLimiters(env: Readonly<Record<string, unknown>>): Parsed<ReadonlyMap<string, RateLimit>> {
  const limiters = new Map<string, RateLimit>();
  const issues: Issue[] = [];
  for (const [index, name] of limiterNames(env["CALLERS"]).entries()) {
    if (typeof name !== "string") continue;

    const binding = parseRateLimiter(env[name]);
    if ("value" in binding) limiters.set(name, binding.value);
    else issues.push({ path: `CALLERS[${index}].limiter`, message: "names no rate-limit binding of wrangler.toml" });
  }
  return issues.length > 0 ? { issues } : { value: limiters };
}

/** The `limiter` of each caller; whatever else is wrong with the callers is a matter of their own parser. */
export function limiterNames(callers: unknown): readonly unknown[] {
  const list = parseTable(callers);
  if (!Array.isArray(list)) return [];
  // Any value but null and undefined can be asked for a property.
  return list.map((caller: unknown) => (caller as { readonly limiter?: unknown } | null | undefined)?.limiter);
}
