import type { Log } from "../../core/log.ts";
import type { CountWithin } from "../../core/rate-limit.ts";
import { within } from "../within.ts";

/** A limiter responds in a few milliseconds, because it runs in the same place as the request. */
const TIMEOUT_MS = 500;

/**
 * Creates a counter that uses a rate-limit binding of Workers. If the binding fails or is too slow, the request passes
 * and a warning is logged, so that a broken limiter does not become an outage.
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
