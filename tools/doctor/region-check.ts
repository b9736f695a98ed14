import type { Config } from "../../src/config/config.ts";
import { regionOf } from "../lib/coze-regions.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { isLoopbackHost } from "../lib/loopback-host.ts";
import type { View } from "./settings-check.ts";

/** The paths that Coze documents: of an app of its own account, of an enterprise, and of another account. */
const TOKEN_PATH = /^\/api\/permission\/oauth2\/((enterprise_id|account)\/[^/]+\/)?token$/;

/** Every host of Coze. Only api.coze.cn and api.coze.com have a token endpoint. */
const COZE_HOST = /(?:^|\.)coze\.(cn|com)$/;

/** Says which region the settings are for. checkSettings has compared AUDIENCE with it. */
export function checkRegion({ tokenEndpoint, audience }: Config, view: View): Finding {
  const region = regionOf(tokenEndpoint);
  const { host, hostname, pathname } = new URL(tokenEndpoint);
  const detail = `${host}, audience ${audience}`;
  const [, cozeRegion] = COZE_HOST.exec(hostname) ?? [];
  if (cozeRegion !== undefined && (region === undefined || !TOKEN_PATH.test(pathname))) {
    const hint = `Use the whole URL: https://api.coze.${cozeRegion}/api/permission/oauth2/token`;
    return failed("region", `${tokenEndpoint} is no token endpoint of Coze`, hint);
  }
  if (region !== undefined) return passed("region", `coze.${region}: ${detail}`);
  const hint =
    view === "deployed" && isLoopbackHost(hostname)
      ? "Cloudflare cannot reach it. Remove TOKEN_ENDPOINT from wrangler.toml for the real Coze."
      : "TOKEN_ENDPOINT is not at Coze: tokens come from a proxy or an emulator.";
  return { ...passed("region", detail, hint), topic: "deployment" };
}
