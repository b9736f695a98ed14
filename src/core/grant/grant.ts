import { TokenError } from "../token-error.ts";
import { type CozeScope, canonicalScope, narrowScope } from "./coze-scope.ts";

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

/** The Coze app and endpoint a token comes from. */
export type TokenSource = { readonly clientId: string; readonly audience: string; readonly tokenEndpoint: string };

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

/** Names the token of a grant: different for every input that changes the token, equal for all that do not. */
export type CacheKeyFor = (grant: Grant) => string;

/**
 * Creates the maker of cache keys for one source of tokens. A key is a row of JSON strings, each of which says where it
 * ends, and then the user: `=` and the id, or nothing at all, which no user id can imitate.
 */
export function createCacheKeyFor({ clientId, audience, tokenEndpoint }: TokenSource): CacheKeyFor {
  const prefix = JSON.stringify([clientId, audience, tokenEndpoint]);
  return function cacheKeyFor({ userId, durationSeconds, scope }) {
    return `${prefix}${durationSeconds}${canonicalScope(scope)}${userId === undefined ? "" : `=${userId}`}`;
  };
}
