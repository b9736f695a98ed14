import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import { pageResponse } from "./response.ts";

/** Gets the console's page, with its own Content-Security-Policy. Rejects with a TokenError if there is none. */
export type GetConsolePage = () => Promise<Response>;

/**
 * `GET /` of a browser: the console, an HTML page that shows how to call this service and tries it. Requests that do
 * not accept HTML get a 405.
 * @throws TokenError `not_found` if there is no console.
 */
export function consoleRoute(getConsolePage: GetConsolePage): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/", async (c, next) => {
    if (!acceptsHtml(c.req.raw.headers)) return next();
    return pageResponse(c, await getConsolePage());
  });
}

/** A weight of 0 means "not acceptable" (RFC 9110 §12.4.2). No browser sends a range such as `text/*`; scripts do. */
function acceptsHtml(headers: Headers): boolean {
  const ranges = (headers.get("Accept") ?? "").toLowerCase().split(",");
  return ranges.some((range) => {
    const [mediaType, ...parameters] = range.split(";").map((part) => part.trim());
    return mediaType === "text/html" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
