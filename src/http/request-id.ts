import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./app-env.ts";

/** An id of the caller's own that can stand in a header and a log as it is; any other is replaced. */
const PLAIN_ID = /^[\w=-]{1,128}$/;

/** Gives each request its id, which its answer tells. */
export function requestId(): MiddlewareHandler<AppEnv> {
  return function requestId(c, next) {
    const given = c.req.raw.headers.get("X-Request-Id");
    const requestId = given !== null && PLAIN_ID.test(given) ? given : crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("headers", { "X-Request-Id": requestId });
    return next();
  };
}
