import { invalid, type Parsed } from "./issue.ts";

/**
 * Parses a URL that secrets may be sent to, or keys fetched from: https, or http on loopback, where nobody listens in,
 * and without credentials.
 */
export function parseSecureUrl(value: unknown, example: string): Parsed<URL> {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) return invalid(`must be a complete URL such as ${example}`);
  if (url.username !== "" || url.password !== "") return invalid("must not contain a user name or password");
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return { value: url };
  return invalid("must begin with https:// (http:// is for loopback addresses only)");
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
