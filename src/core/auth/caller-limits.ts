import { combineScopes } from "../grant/combine-scopes.ts";
import type { GrantLimits } from "../grant/grant.ts";
import type { Caller } from "./caller.ts";

/**
 * The most that a caller may be granted: what the settings allow, less what the caller's rule takes away.
 * @throws TokenError `invalid_scope` when nothing is left.
 */
export function limitsFor({ name, scope, maxDurationSeconds }: Caller, settings: GrantLimits): GrantLimits {
  return {
    durationSeconds: Math.min(settings.durationSeconds, maxDurationSeconds ?? settings.durationSeconds),
    scope: combineScopes(
      settings.scope,
      scope,
      `The caller ${name} is granted nothing: its rule and TOKEN_SCOPE have nothing in common`,
    ),
  };
}
