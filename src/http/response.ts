import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv, ResponseHeaders } from "./app-env.ts";

/** Headers of every response: no caching, framing, content sniffing, scripts or referrers. */
const API_HEADERS: Readonly<ResponseHeaders> = {
  // RFC 6749 §5.1 requires both in responses that contain a token.
  "Cache-Control": "no-store",
  Pragma: "no-cache",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000",
};

/** Created once, because the runtime copies a Headers object faster than a record. */
const BARE_HEADERS = new Headers(API_HEADERS);
const JSON_HEADERS = new Headers({ ...API_HEADERS, "Content-Type": "application/json" });

/** Headers that the page brings along; its policy has the hash of its script. */
const PAGE_HEADERS = ["Content-Type", "Content-Security-Policy"];

/** Creates a JSON response with the common headers and those collected in the context. */
export function jsonResponse(c: Context<AppEnv>, body: object, status: ContentfulStatusCode = 200): Response {
  return withHeaders(c, new Response(JSON.stringify(body), { status, headers: JSON_HEADERS }));
}

/** Creates a 204 response with the common headers and those collected in the context. */
export function emptyResponse(c: Context<AppEnv>): Response {
  return withHeaders(c, new Response(null, { status: 204, headers: BARE_HEADERS }));
}

/** Creates a response from a page of the static assets, with the common headers but the page's own policy. */
export function pageResponse(c: Context<AppEnv>, page: Response): Response {
  const response = new Response(page.body, { headers: BARE_HEADERS });
  for (const name of PAGE_HEADERS) response.headers.set(name, page.headers.get(name) ?? "");
  return withHeaders(c, response);
}

function withHeaders(c: Context<AppEnv>, response: Response): Response {
  for (const [name, value] of Object.entries(c.get("headers"))) response.headers.set(name, value);
  return response;
}
