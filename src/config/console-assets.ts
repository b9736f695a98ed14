import { TokenError } from "../core/token-error.ts";
import { parseAssets } from "./setting-parsers.ts";

/**
 * Returns the static assets with the page of the console. They do not depend on other settings, so that the page can show
 * what is wrong with these.
 * @throws TokenError `not_found` if CONSOLE is `off`, or there are no assets.
 */
export function consoleAssetsFor(env: { readonly CONSOLE?: unknown; readonly ASSETS?: unknown }): Fetcher {
  if (String(env.CONSOLE ?? "").trim() === "off") {
    throw new TokenError("not_found", "The console of this service is off. Request tokens with POST /.");
  }
  const assets = parseAssets(env.ASSETS);
  if ("issues" in assets) {
    throw new TokenError(
      "not_found",
      "The console is missing: the wrangler.toml of this service has no [assets] with the binding ASSETS. Request tokens with POST /.",
    );
  }
  return assets.value;
}
