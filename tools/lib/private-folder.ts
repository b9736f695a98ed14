import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** To be removed when this process ends. */
const folders = new Set<string>();

/**
 * Creates a temporary folder that only this account can open, with its purpose in its name. It is removed when this
 * process ends, crashes included.
 */
export function createPrivateFolder(purpose: string): string {
  if (folders.size === 0) process.once("exit", removeFolders);
  const folder = mkdtempSync(join(tmpdir(), `coze-token-worker-${purpose}-`));
  folders.add(folder);
  return folder;
}

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
