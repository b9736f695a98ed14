import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./app-env.ts";

/** A request id from the client that is safe in a header and a log; any other is replaced. */
export const PLAIN_ID = /^[\w=-]{1,128}$/;

/** Sets the id of each request and returns it in `X-Request-Id`. */
export function requestId(): MiddlewareHandler<AppEnv> {
  return function requestId(c, next) {
    const given = c.req.raw.headers.get("X-Request-Id");
    const requestId = given !== null && PLAIN_ID.test(given) ? given : crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("headers", { "X-Request-Id": requestId });
    return next();
  };
}
