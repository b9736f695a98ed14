import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { parseConfig } from "../../src/config/config.ts";
import { RECIPES } from "../support/recipes.ts";

let docs: string;
let folder: string;

beforeAll(async () => {
  docs = await readFile(join(import.meta.dirname, "../../docs/callers.md"), "utf8");
  folder = await mkdtemp(join(tmpdir(), "coze-token-worker-recipes-"));
});

afterAll(() => rm(folder, { recursive: true }));

it.each(Object.entries(RECIPES))(
  "reads the recipe for %s as it is pasted into wrangler.toml",
  async (heading, recipe) => {
    const [, toml = ""] = docs.split(`\n### ${heading}\n`)[1]?.split(/^```(?:toml)?\n/m) ?? [];
    const config = join(folder, "wrangler.toml");
    await writeFile(config, `name = "worker"\ncompatibility_date = "2026-11-01"\n${toml}`);

    const { CALLERS } = readConfig({ config }).vars;
    expect(CALLERS).toEqual([recipe]);
    expect(await parseConfig({ CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: "key", CALLERS })).toHaveProperty("value");
  },
);
