import { chmodSync, existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileToWrite } from "./plan.ts";

/** The bits of a mode that others than the owner have. */
const OTHERS = 0o077;

/**
 * Writes all files, or none: each beside its place first, and then all are put there by renaming. Nothing is awaited in
 * between, so Ctrl-C comes before or after. A file that is there keeps its mode, unless it has to be private.
 */
export function writeFiles(root: string, files: readonly FileToWrite[]): void {
  const staged = files.map(({ name, text, mode }) => {
    const path = join(root, name);
    const isPrivate = (mode & OTHERS) === 0;
    return {
      path,
      temporary: `${path}.${process.pid}.tmp`,
      text,
      mode: existsSync(path) && !isPrivate ? statSync(path).mode : mode,
    };
  });
  try {
    for (const { temporary, text, mode } of staged) {
      writeFileSync(temporary, text, { mode, flag: "wx" });
      chmodSync(temporary, mode); // the umask may have taken bits off
    }
    for (const { temporary, path } of staged) renameSync(temporary, path);
  } finally {
    for (const { temporary } of staged) rmSync(temporary, { force: true });
  }
}
