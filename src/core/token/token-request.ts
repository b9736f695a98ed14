import type { Grant } from "../grant/grant.ts";
import type { WaitUntil } from "../single-flight.ts";
import type { CountExchange } from "./exchange.ts";
import type { AccessToken } from "./token.ts";

/** What a request wants. */
export type TokenRequest = {
  readonly grant: Grant;
  /** The token that Coze has rejected when the client used it. */
  readonly rejectedToken?: string | undefined;
  /** Seconds that the token must have left; more than half of its life counts as half. */
  readonly minSeconds?: number | undefined;
  readonly countExchange: CountExchange;
  /** When the response is due, in Unix milliseconds. */
  readonly deadline: number;
  readonly waitUntil: WaitUntil;
};

/** A token, and where it comes from. */
export type TokenResult = {
  readonly token: AccessToken;
  readonly ttlSeconds: number;
  readonly cacheOutcome: CacheOutcome;
  readonly timings: Timings;
};

/** Milliseconds per step; a step that was not taken is left out. */
export type Timings = {
  /** Reading the store. */
  readonly cacheMs?: number;
  readonly signMs?: number;
  readonly upstreamMs?: number;
  /** How often Coze was asked. */
  readonly attempts?: number;
  /** The id under which Coze's support finds the exchange. */
  readonly cozeLogId?: string | undefined;
};

/**
 * `hit`: from memory or the store. `stale`: also cached, but it should have been renewed, and that failed.
 * `miss`: new from Coze. `collapsed`: new from Coze, from the exchange of another request.
 */
export type CacheOutcome = "hit" | "stale" | "miss" | "collapsed";
