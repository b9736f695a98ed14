import type { Problem } from "../core/issue.ts";
import { parseSecureUrl } from "../core/secure-url.ts";

const DEFAULT_TOKEN_ENDPOINT = "https://api.coze.cn/api/permission/oauth2/token";
const DEFAULT_AUDIENCE = "api.coze.cn";

/** The API hosts of the two regions. An app lives in one of them, and is not known in the other. */
const COZE_HOSTS = ["api.coze.cn", "api.coze.com"];

/** Reads the address of the token endpoint. */
export function parseTokenEndpoint(value: unknown = DEFAULT_TOKEN_ENDPOINT): URL | Problem {
  return parseSecureUrl(value, DEFAULT_TOKEN_ENDPOINT);
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
