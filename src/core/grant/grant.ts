import { TokenError } from "../token-error.ts";
import { narrowScope } from "./combine-scopes.ts";
import type { CozeScope } from "./coze-scope.ts";

/** What a token is issued for: everything that makes it differ from another token of the same app. */
export type Grant = {
  /** Becomes `session_name`; `undefined` is the session shared by all who name no user. */
  readonly userId: string | undefined;
  readonly durationSeconds: number;
  /** `undefined`: every permission granted to the app. */
  readonly scope: CozeScope | undefined;
};

/** Coze: "expires in at most 86399 seconds". */
export const MAX_DURATION_SECONDS = 86_399;

/** The most that may be granted. */
export type GrantLimits = Pick<Grant, "durationSeconds" | "scope">;

/** What a request asks for; whatever it leaves out is granted up to the limits. */
export type GrantRequest = { readonly durationSeconds?: number | undefined; readonly scope?: CozeScope | undefined };

/**
 * Decides what a request is granted: what it asks for, which can only be within the limits.
 * @throws TokenError `invalid_scope` when it asks for a longer life or more scope.
 */
export function grantFor(userId: string | undefined, request: GrantRequest, limits: GrantLimits): Grant {
  const durationSeconds = request.durationSeconds ?? limits.durationSeconds;
  if (durationSeconds > limits.durationSeconds) {
    throw new TokenError(
      "invalid_scope",
      `duration_seconds asks for more than the ${limits.durationSeconds} seconds that are granted.`,
    );
  }
  return { userId, durationSeconds, scope: narrowScope(limits.scope, request.scope) };
}
