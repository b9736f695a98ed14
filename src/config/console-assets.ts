import { parseAssets } from "./setting-parsers.ts";

/**
 * Returns the static assets if the console is on, so that it can show what is wrong with other settings. `undefined` if
 * CONSOLE is `off`, or there are no assets.
 */
export function consoleAssetsFor(env: { readonly CONSOLE?: unknown; readonly ASSETS?: unknown }): Fetcher | undefined {
  const assets = parseAssets(env.ASSETS);
  const isOff = String(env.CONSOLE ?? "").trim() === "off";
  return isOff || "issues" in assets ? undefined : assets.value;
}
