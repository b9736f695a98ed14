import type { Caller } from "../core/auth/caller.ts";
import { shareOrigin } from "../core/auth/origins.ts";
import type { Issue } from "../core/issue.ts";
import { isOneRegion } from "./coze-region.ts";
import type { Settings } from "./settings.ts";

/** What settings must have in common that are each right by themselves. */
const CROSS_CHECKS = [
  crossCheck(["PREVIOUS_KID", "PREVIOUS_PRIVATE_KEY"], function* previousKeyIssues(settings) {
    if ((settings.PREVIOUS_KID === undefined) === (settings.PREVIOUS_PRIVATE_KEY === undefined)) return;
    yield { path: "PREVIOUS_KID", message: "and PREVIOUS_PRIVATE_KEY belong together: set both, or neither" };
  }),

  crossCheck(["AUDIENCE", "TOKEN_ENDPOINT"], function* regionIssues({ AUDIENCE, TOKEN_ENDPOINT }) {
    if (isOneRegion(AUDIENCE, TOKEN_ENDPOINT)) return;
    const message = "must be the host of TOKEN_ENDPOINT: an app of one Coze region is not known in the other";
    yield { path: "AUDIENCE", message };
  }),

  crossCheck(["CALLERS", "TURNSTILE_SECRET_KEY"], function* turnstileIssues({ CALLERS, TURNSTILE_SECRET_KEY }) {
    const path = "TURNSTILE_SECRET_KEY";
    const isNeeded = CALLERS.some(hasTurnstile);
    if (isNeeded && TURNSTILE_SECRET_KEY === undefined) {
      yield { path, message: "is required, as a caller has turnstile = true" };
    }
    // The secret key is set to keep robots out; without a caller that uses it, it keeps out none.
    if (!isNeeded && TURNSTILE_SECRET_KEY !== undefined) {
      yield { path, message: "has no effect: give an anonymous caller of CALLERS turnstile = true" };
    }
  }),

  // A page has to pass both lists: where they share none, the caller is closed to every page.
  crossCheck(["CALLERS", "ALLOWED_ORIGINS"], function* originIssues({ CALLERS, ALLOWED_ORIGINS }) {
    for (const [index, { origins }] of CALLERS.entries()) {
      if (shareOrigin(origins, ALLOWED_ORIGINS)) continue;
      yield { path: `CALLERS[${index}].origins`, message: "shares no page with ALLOWED_ORIGINS: a page needs both" };
    }
  }),
];

/** Finds the settings that contradict each other. What has an issue of its own takes no part, so that all show at once. */
export function crossIssues(settings: Partial<Settings>): Issue[] {
  return CROSS_CHECKS.flatMap((check) => check(settings));
}

function crossCheck<Name extends keyof Settings>(
  names: readonly Name[],
  find: (settings: Pick<Settings, Name>) => Iterable<Issue>,
): (settings: Partial<Settings>) => Issue[] {
  // Each of the names has been found, so its value is that of a setting.
  return (settings) => (names.every((name) => name in settings) ? [...find(settings as Pick<Settings, Name>)] : []);
}

function hasTurnstile({ credentialRule }: Caller): boolean {
  return credentialRule.kind === "anonymous" && credentialRule.turnstile !== undefined;
}
