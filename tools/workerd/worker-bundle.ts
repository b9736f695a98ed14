import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The Worker as `wrangler deploy` would upload it. */
export type WorkerBundle = { readonly script: string; readonly gzipKiB: number };

/**
 * Builds the Worker into a folder, exactly as it is deployed.
 * @throws Error with wrangler's own words when it cannot be built.
 */
export async function buildWorker(folder: string): Promise<WorkerBundle> {
  const command = ["deploy", "--dry-run", "--env=", "--outdir", folder];
  const { stdout } = await promisify(execFile)("wrangler", command, {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  const gzipKiB = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  return { script: `${folder}/index.js`, gzipKiB };
}
