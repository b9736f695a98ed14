import type { MiddlewareHandler } from "hono";
import { type AllowedOrigins, isAllowedOrigin } from "../core/origins.ts";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";

const ALLOWED_METHODS = "GET, POST, OPTIONS";
/** What callers of this service send, and by the wildcard whatever their tools add, such as tracing headers. */
const ALLOWED_HEADERS = "Authorization, Content-Type, X-User-ID, X-Request-Id, *";
const EXPOSED_HEADERS = "X-Request-Id, Cache-Status, Retry-After, Server-Timing";
/** Browsers keep the answer to a preflight no longer than 2 to 24 hours, whatever they are told. */
const PREFLIGHT_MAX_AGE_SECONDS = "86400";

/**
 * Lets the pages of the allowed origins, and no others, read answers (Fetch Standard, "CORS protocol"), errors included.
 * Answers preflights itself. It never allows credentials, as the service knows no cookies.
 * @throws TokenError `access_denied` for the pages of other origins, whatever they ask for.
 */
export function cors(allowed: AllowedOrigins): MiddlewareHandler<AppEnv> {
  return async function cors(c, next) {
    const origin = c.req.header("Origin");
    c.header("Vary", "Origin");
    if (origin !== undefined && allowed !== "*" && !isAllowedOrigin(origin, new URL(c.req.url).origin, allowed)) {
      throw new TokenError("access_denied", `Pages of ${origin} may not use this service. See ALLOWED_ORIGINS.`);
    }

    if (allowed === "*") c.header("Access-Control-Allow-Origin", "*");
    else if (origin !== undefined) c.header("Access-Control-Allow-Origin", origin);
    c.header("Access-Control-Expose-Headers", EXPOSED_HEADERS);
    if (c.req.method !== "OPTIONS") return next();

    c.header("Access-Control-Allow-Methods", ALLOWED_METHODS);
    c.header("Access-Control-Allow-Headers", ALLOWED_HEADERS);
    c.header("Access-Control-Max-Age", PREFLIGHT_MAX_AGE_SECONDS);
    return c.body(null, 204);
  };
}
