import type { Problem } from "./problem.ts";

const DEFAULT_TOKEN_ENDPOINT = "https://api.coze.cn/api/permission/oauth2/token";
const DEFAULT_AUDIENCE = "api.coze.cn";

/** The API hosts of the two regions. An app lives in one of them, and is not known in the other. */
const COZE_HOSTS = ["api.coze.cn", "api.coze.com"];

/** Reads the address of the token endpoint: https, or http on loopback, without credentials. */
export function parseTokenEndpoint(value: unknown = DEFAULT_TOKEN_ENDPOINT): URL | Problem {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) return { problem: `must be a whole address such as ${DEFAULT_TOKEN_ENDPOINT}` };
  if (url.username !== "" || url.password !== "") return { problem: "must not hold a user name or password" };
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return url;
  return { problem: "must begin with https:// (http:// is for loopback addresses only)" };
}

/** Reads the host that assertions are made out to; `undefined` leaves the choice to the endpoint. */
export function parseAudience(value: unknown): string | undefined | Problem {
  if (value === undefined) return undefined;
  if (typeof value === "string" && isHost(value)) return value;
  return { problem: "must be a host name such as api.coze.cn, without https:// and without a path" };
}

/** The audience that goes with an endpoint: its own host where that is Coze's. */
export function audienceFor(endpoint: URL): string {
  return COZE_HOSTS.includes(endpoint.host) ? endpoint.host : DEFAULT_AUDIENCE;
}

/** Tells whether an audience can go with an endpoint. Behind a proxy, only its owner knows. */
export function isOneRegion(audience: string | undefined, endpoint: URL): boolean {
  const bothCoze = audience !== undefined && COZE_HOSTS.includes(audience) && COZE_HOSTS.includes(endpoint.host);
  return !bothCoze || audience === endpoint.host;
}

function isHost(text: string): boolean {
  return URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
