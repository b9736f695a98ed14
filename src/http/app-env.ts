import type { Caller } from "../core/auth/caller.ts";
import type { Grant } from "../core/grant/grant.ts";
import type { TokenResult } from "../core/token/token-request.ts";

/** Response headers by name, collected while a request is handled. */
export type ResponseHeaders = Record<string, string>;

/** The types of the Hono context that handlers and middleware share. */
export type AppEnv = {
  /** When the request arrived, in Unix milliseconds. For the first request, that is before the settings are read. */
  readonly Bindings: { readonly startedAt: number };
  readonly Variables: {
    requestId: string;
    /** The response headers collected so far. */
    headers: ResponseHeaders;
    /** What `WWW-Authenticate` says in a 401, if not `Bearer`. */
    challenge?: string;
    /** Set as the request proceeds, for the audit log. */
    caller?: Caller;
    /** The key id of the caller's JWT. */
    kid?: string;
    grant?: Grant;
    result?: TokenResult;
  };
};
