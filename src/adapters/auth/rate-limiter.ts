import type { Log } from "../../core/log.ts";
import type { CountWithin } from "../../core/rate-limit.ts";
import { within } from "../within.ts";

/** A limiter responds in a few milliseconds: it runs where the request is. */
const TIMEOUT_MS = 500;

/**
 * Creates the count out of a rate-limit binding of Workers. When the limiter fails or is too slow, the request passes,
 * and the log says so: a broken limiter must not become an outage.
 */
export function createRateLimiter(binding: RateLimit, log: Log): CountWithin {
  return async function countWithin(key) {
    try {
      return (await within(TIMEOUT_MS, binding.limit({ key }))).success;
    } catch (error) {
      log("warn", "rate_limiter_failed", { cause: String(error) });
      return true;
    }
  };
}
