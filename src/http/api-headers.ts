import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./app-env.ts";

/** Headers that every answer of an API wants: nothing to keep, nothing to frame, sniff, run or leak. */
const API_HEADERS: readonly (readonly [name: string, value: string])[] = [
  // RFC 6749 §5.1 asks for both wherever a token may be.
  ["Cache-Control", "no-store"],
  ["Pragma", "no-cache"],
  ["X-Content-Type-Options", "nosniff"],
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
  ["Referrer-Policy", "no-referrer"],
  ["Strict-Transport-Security", "max-age=31536000"],
];

/** Sets the cache and security headers of an API on every answer. */
export function apiHeaders(): MiddlewareHandler<AppEnv> {
  return async function apiHeaders(c, next) {
    for (const [name, value] of API_HEADERS) c.header(name, value);
    await next();
  };
}
