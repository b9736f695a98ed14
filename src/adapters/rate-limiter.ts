import type { Log } from "../core/log.ts";

/** Counts a request of somebody, and tells whether it is within the limit. */
export type CountRequest = (who: string) => Promise<boolean>;

/**
 * Creates the rate limit out of a binding of Workers. When the limiter itself fails, the request passes, and the log
 * says so: a broken limiter must not become an outage.
 */
export function createRateLimiter(binding: RateLimit, log: Log): CountRequest {
  return async function countRequest(who) {
    try {
      return (await binding.limit({ key: who })).success;
    } catch (error) {
      log("warn", "rate_limiter_failed", { cause: String(error) });
      return true;
    }
  };
}
