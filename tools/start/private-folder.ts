import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Creates a temporary folder that only this account can open, and that goes when this process ends, crashes included. */
export function createPrivateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "coze-token-worker-start-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
