import type { MiddlewareHandler } from "hono";
import { type AllowedOrigins, isAllowedOrigin } from "../core/auth/origins.ts";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";
import { emptyResponse } from "./response.ts";

const ALLOWED_METHODS = "GET, POST, OPTIONS";
/** The headers this service reads. The wildcard also admits headers that tools add, such as tracing headers. */
const ALLOWED_HEADERS = "Authorization, Content-Type, X-User-ID, X-Request-Id, cf-turnstile-response, *";
const EXPOSED_HEADERS = "X-Request-Id, Cache-Status, Retry-After, Server-Timing";
/** 24 hours, the most that any browser caches a preflight response. */
const PREFLIGHT_MAX_AGE_SECONDS = "86400";

/**
 * Lets only pages of the allowed origins read responses, including errors (Fetch Standard, "CORS protocol"), and
 * responds to preflight requests. Never allows credentials, because the service uses no cookies.
 * @throws TokenError `access_denied` for any request from a page of another origin.
 */
export function cors(allowed: AllowedOrigins): MiddlewareHandler<AppEnv> {
  return function cors(c, next) {
    const origin = c.req.raw.headers.get("Origin");
    const headers = c.get("headers");
    headers["Vary"] = "Origin";
    const forbidden = forbiddenOrigin(c.req.raw, allowed);
    if (forbidden !== undefined) {
      throw new TokenError("access_denied", `Pages of ${forbidden} may not use this service. See ALLOWED_ORIGINS.`);
    }

    if (allowed === "*") headers["Access-Control-Allow-Origin"] = "*";
    else if (origin !== null) headers["Access-Control-Allow-Origin"] = origin;
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS;
    if (c.req.method !== "OPTIONS") return next();

    headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS;
    headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS;
    headers["Access-Control-Max-Age"] = PREFLIGHT_MAX_AGE_SECONDS;
    return Promise.resolve(emptyResponse(c));
  };
}

/**
 * Returns the origin of the page that sent a request if that origin is not allowed, or else `undefined`. A request
 * without an `Origin` header does not come from a page and is always allowed.
 */
export function forbiddenOrigin(request: Request, allowed: AllowedOrigins): string | undefined {
  if (allowed === "*") return undefined;

  const origin = request.headers.get("Origin");
  if (origin === null || isAllowedOrigin(origin, URL.parse(request.url)?.origin, allowed)) return undefined;
  return origin;
}
