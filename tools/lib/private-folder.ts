import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Removed with all that is in it when it is disposed of, or else when the process ends. */
type PrivateFolder = Disposable & { readonly path: string };

/** To be removed when this process ends. */
const paths = new Set<string>();

/** Creates a temporary folder that only this account can open, with its purpose in its name. */
export function createPrivateFolder(purpose: string): PrivateFolder {
  if (paths.size === 0) process.on("exit", removeAll);
  const path = mkdtempSync(join(tmpdir(), `coze-token-worker-${purpose}-`));
  paths.add(path);
  return { path, [Symbol.dispose]: () => remove(path) };
}

function removeAll(): void {
  for (const path of paths) remove(path);
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  paths.delete(path);
  if (paths.size === 0) process.off("exit", removeAll);
}
