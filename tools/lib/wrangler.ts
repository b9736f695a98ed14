import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The program of the wrangler of this project, for Node.js to run. */
export const WRANGLER = join(
  dirname(fileURLToPath(import.meta.resolve("wrangler/package.json"))),
  "bin",
  "wrangler.js",
);
