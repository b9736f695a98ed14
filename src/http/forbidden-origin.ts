import { type AllowedOrigins, isAllowedOrigin } from "../core/auth/origins.ts";

/**
 * The origin of the page that a request comes from, where its pages are not allowed to ask; `undefined` where they are,
 * and for what comes from no page.
 */
export function forbiddenOrigin(request: Request, allowed: AllowedOrigins): string | undefined {
  if (allowed === "*") return undefined;

  const origin = request.headers.get("Origin");
  if (origin === null || isAllowedOrigin(origin, URL.parse(request.url)?.origin, allowed)) return undefined;
  return origin;
}
