import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { varsLine } from "../../../tools/lib/vars-file.ts";
import { ROOT } from "../examples/service.ts";

export const KID = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE";
export const keyPair = createKeyPair();

/** Settings that are right, as a vars file. */
export const VARS = varsFile({ CLIENT_ID: "1127", KID, PRIVATE_KEY: keyPair.privateKey });

export const TOML = `name = "worker"
main = "src/index.ts"
compatibility_date = "2026-11-01"
`;

const RIGHT = {
  "wrangler.toml": TOML,
  ".dev.vars": VARS,
  ".gitignore": ".dev.vars\n.dev.vars.*\n",
  "package.json": '{"type":"module"}',
};

export function varsFile(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${varsLine(name, value)}\n`)
    .join("");
}

/** A folder of the project in which all is right but what these files change; removed when the test ends. */
export function createFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "doctor-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [path, text] of Object.entries({ ...RIGHT, ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    if (path.startsWith(".dev.vars")) chmodSync(join(folder, path), 0o600);
  }
  return folder;
}
