import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Creates a temporary folder that only this account can open, with its purpose in its name. It is removed when this
 * process ends, crashes included.
 */
export function createPrivateFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `coze-token-worker-${purpose}-`));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
