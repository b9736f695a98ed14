import { invalid, type Parsed } from "../core/issue.ts";
import { parseSecureUrl } from "../core/secure-url.ts";

const DEFAULT_TOKEN_ENDPOINT = "https://api.coze.cn/api/permission/oauth2/token";
const DEFAULT_AUDIENCE = "api.coze.cn";

/** The API hosts of the two regions. An app lives in one of them, and is not known in the other. */
const COZE_HOSTS = ["api.coze.cn", "api.coze.com"];

/** Parses the URL of the token endpoint. */
export function parseTokenEndpoint(value: unknown = DEFAULT_TOKEN_ENDPOINT): Parsed<URL> {
  return parseSecureUrl(value, DEFAULT_TOKEN_ENDPOINT);
}

/** Parses the host that assertions are addressed to. */
export function parseAudience(value: unknown): Parsed<string> {
  if (typeof value === "string" && isHost(value)) return { value };
  return invalid("must be a host name such as api.coze.cn, without https:// and without a path");
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

function isHost(value: string): boolean {
  return URL.canParse(`https://${value}`) && new URL(`https://${value}`).host === value;
}
