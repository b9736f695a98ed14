import { join } from "node:path";
import { buildAssets } from "../../tools/build/build-assets.ts";

/** Builds the static assets that wrangler.toml names: Vitest does not run its build command. */
export async function setup(): Promise<void> {
  await buildAssets(join(import.meta.dirname, "../../dist/assets"));
}
