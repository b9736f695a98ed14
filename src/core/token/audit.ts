import type { Grant } from "../grant/grant.ts";
import type { TokenError } from "../token-error.ts";
import type { TokenResult } from "./token-request.ts";

/** What is known in the end of one request for a token. It never holds a credential; who writes it down hashes the rest. */
export type TokenAttempt = {
  readonly requestId: string;
  readonly caller: string | undefined;
  /** Of the JWT, and the id of the key that signed it; where the request is refused, as the JWT says. */
  readonly issuer: string | undefined;
  readonly kid: string | undefined;
  readonly grant: Grant | undefined;
  readonly result: TokenResult | undefined;
  readonly error: TokenError | undefined;
  /** The sentence that was sent with the error. */
  readonly description: string | undefined;
  readonly durationMs: number;
  /** Where Cloudflare received the request, and from which country. */
  readonly colo: string | undefined;
  readonly country: string | undefined;
};

/** Writes down one request for a token. */
export type Audit = (attempt: TokenAttempt) => Promise<void>;
