import type { Log } from "../core/log.ts";
import type { CountWithin } from "../core/rate-limit.ts";

/** A limiter answers in a few milliseconds, from where the request is. */
const TIMEOUT_MS = 500;

/**
 * Creates the count out of a rate-limit binding of Workers. When the limiter fails or is too slow, the request passes,
 * and the log says so: a broken limiter must not become an outage.
 */
export function createRateLimiter(binding: RateLimit, log: Log): CountWithin {
  return async function countWithin(key) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooSlow = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no response within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    });
    try {
      return (await Promise.race([binding.limit({ key }), tooSlow])).success;
    } catch (error) {
      log("warn", "rate_limiter_failed", { cause: String(error) });
      return true;
    } finally {
      clearTimeout(timer);
    }
  };
}
