import type { Caller } from "../core/auth/caller.ts";
import type { Grant } from "../core/grant/grant.ts";
import type { TokenResult } from "../core/token/token-request.ts";

/** Response headers by name, collected while a request is handled. */
export type ResponseHeaders = Record<string, string>;

/** What handlers and middleware find in the context of one request. */
export type AppEnv = {
  /** When the request arrived, in Unix milliseconds: before the settings were read, where it was the first. */
  readonly Bindings: { readonly startedAt: number };
  readonly Variables: {
    requestId: string;
    /** The headers of the result, as far as they are known. */
    headers: ResponseHeaders;
    /** Who asks for a token, what they are granted, and what they get, as far as the request has come. */
    caller?: Caller;
    grant?: Grant;
    result?: TokenResult;
  };
};
