import type { Issue } from "../core/issue.ts";
import { limiterNames } from "./caller-limiters.ts";

/** In a name as short as KID, two slips make another word. */
const SHORT_NAME = 5;

/**
 * Finds each name in the environment that is none of the settings, but nearly one: its setting would silently stay
 * unset. What callers have as their `limiter` is a name of the owner's choice.
 */
export function nearNameIssues(env: Readonly<Record<string, unknown>>, settings: readonly string[]): readonly Issue[] {
  const known = new Set<unknown>([...settings, ...limiterNames(env["CALLERS"])]);
  return Object.keys(env).flatMap((name) => {
    const meant = known.has(name) ? undefined : nearestName(name.toUpperCase(), settings);
    return meant === undefined ? [] : [{ path: name, message: `is not a setting; did you mean ${meant}?` }];
  });
}

function nearestName(name: string, settings: readonly string[]): string | undefined {
  for (const slips of [0, 1, 2]) {
    const allowed = settings.filter((setting) => slips < 2 || setting.length > SHORT_NAME);
    const nearest = allowed.find((setting) => isWithin(slips, name, setting));
    if (nearest !== undefined) return nearest;
  }
  return undefined;
}

/** Whether at most so many slips lead from one string to the other: a letter changed, dropped, added, or swapped. */
function isWithin(slips: number, a: string, b: string): boolean {
  if (a === b) return true;
  if (slips === 0) return false;
  if (a[0] === b[0]) return isWithin(slips, a.slice(1), b.slice(1));

  const isSwapped = a[0] === b[1] && a[1] === b[0];
  return (
    isWithin(slips - 1, a.slice(1), b.slice(1)) ||
    isWithin(slips - 1, a.slice(1), b) ||
    isWithin(slips - 1, a, b.slice(1)) ||
    (isSwapped && isWithin(slips - 1, a.slice(2), b.slice(2)))
  );
}
