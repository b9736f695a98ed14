import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** wrangler.toml as the repository has it, for tests: the one beside package.json may have anyone's settings. */
export const SHIPPED_TOML_PATH = fileURLToPath(new URL("../wrangler.toml", import.meta.url).href);

/** Its text, with the paths of a file beside package.json. */
export const SHIPPED_TOML = readFileSync(SHIPPED_TOML_PATH, "utf8").replaceAll('"../', '"');
