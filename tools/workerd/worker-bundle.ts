import { execFile } from "node:child_process";
import { basename, join } from "node:path";
import { promisify } from "node:util";

/** The Worker as `wrangler deploy` would upload it. */
export type WorkerBundle = { readonly script: string; readonly gzipKiB: number };

/**
 * Builds the Worker into a folder, exactly as it is deployed; or another one in the same way, from its entry module.
 * @throws Error with wrangler's own output when it cannot be built.
 */
export async function buildWorker(folder: string, entry = "src/index.ts"): Promise<WorkerBundle> {
  const command = ["deploy", entry, "--dry-run", "--env=", "--outdir", folder];
  const { stdout } = await promisify(execFile)("wrangler", command, {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  const gzipKiB = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  return { script: join(folder, `${basename(entry, ".ts")}.js`), gzipKiB };
}
