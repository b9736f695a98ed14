import type { Problem } from "./issue.ts";

/**
 * Reads an address that secrets may be sent to, or keys fetched from: https, or http on loopback, where nobody listens
 * in, and without credentials.
 */
export function parseSecureUrl(value: unknown, example: string): URL | Problem {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) return { problem: `must be a whole address such as ${example}` };
  if (url.username !== "" || url.password !== "") return { problem: "must not hold a user name or password" };
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return url;
  return { problem: "must begin with https:// (http:// is for loopback addresses only)" };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
