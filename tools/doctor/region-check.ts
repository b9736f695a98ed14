import type { Config } from "../../src/config/config.ts";
import { type Finding, passed } from "../lib/finding.ts";

const REGIONS: Readonly<Record<string, string>> = { "api.coze.cn": "coze.cn", "api.coze.com": "coze.com" };

/** Says to which Coze the settings lead. That AUDIENCE goes with it has been checked with the settings. */
export function checkRegion({ tokenEndpoint, audience }: Config): Finding {
  const { host } = new URL(tokenEndpoint);
  const region = REGIONS[host];
  const detail = `${host}, audience ${audience}`;
  if (region !== undefined) return passed("region", `${region}: ${detail}`);
  return passed("region", detail, "TOKEN_ENDPOINT is not at Coze: tokens come from a proxy or an emulator.");
}
