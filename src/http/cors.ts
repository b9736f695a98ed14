import type { MiddlewareHandler } from "hono";
import { type AllowedOrigins, isAllowedOrigin } from "../core/auth/origins.ts";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";
import { emptyResponse } from "./response.ts";

const ALLOWED_METHODS = "GET, POST, OPTIONS";
/** What callers of this service send, and by the wildcard whatever their tools add, such as tracing headers. */
const ALLOWED_HEADERS = "Authorization, Content-Type, X-User-ID, X-Request-Id, cf-turnstile-response, *";
const EXPOSED_HEADERS = "X-Request-Id, Cache-Status, Retry-After, Server-Timing";
/** Browsers keep the answer to a preflight no longer than 2 to 24 hours, whatever they are told. */
const PREFLIGHT_MAX_AGE_SECONDS = "86400";

/**
 * Lets the pages of the allowed origins, and no others, read answers (Fetch Standard, "CORS protocol"), errors included.
 * Answers preflights itself. It never allows credentials, as the service knows no cookies.
 * @throws TokenError `access_denied` for the pages of other origins, whatever they ask for.
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
 * Returns the origin of the page that sent a request if that origin is not allowed, and `undefined` otherwise. A request
 * without an `Origin` header does not come from a page and is always allowed.
 */
export function forbiddenOrigin(request: Request, allowed: AllowedOrigins): string | undefined {
  if (allowed === "*") return undefined;

  const origin = request.headers.get("Origin");
  if (origin === null || isAllowedOrigin(origin, URL.parse(request.url)?.origin, allowed)) return undefined;
  return origin;
}
