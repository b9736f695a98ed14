import { join } from "node:path";
import type { KeyPair } from "../lib/key-pair.ts";
import { buildWorker } from "../workerd/worker-bundle.ts";
import type { Effort } from "./effort.ts";

/** What every row gets: the Workers to run, and how hard to try. */
export type Bench = {
  readonly bundles: Bundles;
  readonly keyPair: KeyPair;
  readonly effort: Effort;
  /** Ends the work under way when it is aborted. */
  readonly signal: AbortSignal;
  /** Has a thing closed when the row has ended, however it ends. */
  readonly keep: <Thing extends Closable>(started: Promise<Thing>) => Promise<Thing>;
};

/** The modules to run, as files. */
export type Bundles = {
  readonly worker: string;
  readonly workerGzipKiB: number;
  readonly bare: string;
  readonly kvReading: string;
  readonly exchanging: string;
};

export type Closable = { readonly close: () => Promise<void> };

/** Builds the Worker as it is deployed, with limiters that let everything pass, and each baseline in the very same way, into a folder. */
export async function buildBundles(folder: string): Promise<Bundles> {
  const build = (baseline: string) =>
    buildWorker(join(folder, baseline), join(import.meta.dirname, "baselines", `${baseline}.ts`));
  const [deployed, worker, bare, kvReading, exchanging] = await Promise.all([
    buildWorker(join(folder, "deployed")),
    buildWorker(join(folder, "worker"), join(import.meta.dirname, "limited-worker.ts")),
    build("bare-worker"),
    build("kv-reading-worker"),
    build("exchanging-worker"),
  ]);
  return {
    worker: worker.script,
    workerGzipKiB: deployed.gzipKiB,
    bare: bare.script,
    kvReading: kvReading.script,
    exchanging: exchanging.script,
  };
}
