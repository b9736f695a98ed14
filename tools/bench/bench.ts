import { join } from "node:path";
import { createKeyPair, type KeyPair } from "../lib/key-pair.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { buildWorker } from "../workerd/worker-bundle.ts";
import { describeValue } from "./report.ts";
import type { MeasuredRow, Row } from "./row.ts";

/** What every row gets: the Workers to run, and how hard to try. */
export type Bench = {
  readonly bundles: Bundles;
  readonly keyPair: KeyPair;
  readonly effort: Effort;
  /** Ends the work under way when it is aborted. */
  readonly signal: AbortSignal;
  /** Closes a thing when the row has ended, however it ends. */
  readonly keep: <Thing extends Closable>(started: Promise<Thing>) => Promise<Thing>;
};

/** The more effort, the longer it takes, and the less the noise of the machine shows. */
export type Effort = {
  readonly rounds: number;
  /** Rounds before that, which count for nothing: V8 compiles what is hot, and caches fill. */
  readonly warmUpRounds: number;
  /** The share of the usual number of requests that a round has. */
  readonly share: number;
};

/** A few minutes. */
export const FULL_EFFORT: Effort = { rounds: 21, warmUpRounds: 3, share: 1 };

/** Under a minute: shows that all works, and little about ratios. */
export const QUICK_EFFORT: Effort = { rounds: 5, warmUpRounds: 1, share: 0.25 };

/** The modules to run, as files. */
export type Bundles = {
  readonly worker: string;
  readonly workerGzipKiB: number;
  readonly bare: string;
  readonly kvReading: string;
  readonly exchanging: string;
};

export type Closable = { readonly close: () => Promise<void> };

export type BenchOptions = {
  readonly rows: readonly Row[];
  readonly effort: Effort;
  readonly signal: AbortSignal;
  /** Takes a line of progress. */
  readonly tell: (line: string) => void;
};

/** Builds the Workers and measures rows one after the other. However it ends, it leaves no process and no file. */
export async function runBench({ rows, effort, signal, tell }: BenchOptions): Promise<MeasuredRow[]> {
  tell("Building the Worker and the baselines …");
  using folder = createPrivateFolder("bench");
  const parts = { bundles: await buildBundles(folder.path), keyPair: createKeyPair(), effort, signal };
  const measured: MeasuredRow[] = [];
  for (const [index, row] of rows.entries()) {
    signal.throwIfAborted();
    tell(`${index + 1} of ${rows.length}: ${row.what} …`);
    const startedAt = performance.now();
    const result = await runRow(row, parts);
    tell(`  ${describeValue(result)}, in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    measured.push(result);
  }
  return measured;
}

async function runRow(row: Row, parts: Omit<Bench, "keep">): Promise<MeasuredRow> {
  await using resources = new AsyncDisposableStack();
  const keep = async <Thing extends Closable>(started: Promise<Thing>) =>
    resources.adopt(await started, (thing) => thing.close());
  return { row, measurement: await row.measure({ ...parts, keep }) };
}

/** Builds the Worker as it is deployed, with limiters that let everything pass, and each baseline in the very same way, into a folder. */
async function buildBundles(folder: string): Promise<Bundles> {
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
