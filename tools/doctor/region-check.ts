import type { Config } from "../../src/config/config.ts";
import { regionOf } from "../lib/coze-regions.ts";
import { type Finding, passed } from "../lib/finding.ts";

/** Says to which Coze the settings lead. That AUDIENCE goes with it has been checked with the settings. */
export function checkRegion({ tokenEndpoint, audience }: Config): Finding {
  const region = regionOf(tokenEndpoint);
  const detail = `${new URL(tokenEndpoint).host}, audience ${audience}`;
  if (region !== undefined) return passed("region", `coze.${region}: ${detail}`);
  return passed("region", detail, "TOKEN_ENDPOINT is not at Coze: tokens come from a proxy or an emulator.");
}
