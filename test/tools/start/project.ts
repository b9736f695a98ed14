import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SHIPPED_TOML } from "../../support/shipped-toml.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url).href);

/** What `npm start` needs of the repository. Copied, so that nobody's .dev.vars and no change of the moment gets in. */
const COPIED = ["package.json", "tsconfig.json", "src", "tools", "docs/openapi.json"];

export type Project = ReturnType<typeof createProject>;

/** A fresh clone after `npm ci`, with some files written or replaced, on the machine of somebody who is new to it. */
export function createProject(files: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "start-test-"));
  const root = join(folder, "project");
  const home = join(folder, "home");
  const temp = join(folder, "temp");
  for (const path of [root, home, temp]) mkdirSync(path);

  for (const path of COPIED) cpSync(join(ROOT, path), join(root, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  for (const [path, text] of Object.entries({ "wrangler.toml": SHIPPED_TOML, ...files }))
    writeFileSync(join(root, path), text);

  return {
    root,
    home,
    temp,
    /** What the service keeps among the temporary files; what wrangler keeps there goes by other names. */
    foldersLeft: () => readdirSync(temp).filter((name) => name.startsWith("coze-token-worker")),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** The wrangler.toml of the repository with these variables. */
export function wranglerToml(vars: Readonly<Record<string, string>>): string {
  const lines = Object.entries(vars).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `${SHIPPED_TOML}\n[vars]\n${lines.join("\n")}\n`;
}
