import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildAssets } from "./build-assets.ts";

/** The folder that wrangler.toml names. */
const ASSETS_FOLDER = join(import.meta.dirname, "../../dist/assets");

try {
  await buildAssets(ASSETS_FOLDER);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  // While `wrangler dev` runs, the assets of the last build that worked stay: a failed build would stop all requests.
  if (process.env["WRANGLER_COMMAND"] !== "dev" || !existsSync(ASSETS_FOLDER)) process.exitCode = 1;
}
