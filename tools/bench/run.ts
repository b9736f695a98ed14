import { createKeyPair } from "../lib/key-pair.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { type Bench, buildBundles, type Closable } from "./bench.ts";
import type { Effort } from "./effort.ts";
import type { Outcome, Row } from "./row.ts";
import { valueText } from "./table.ts";

export type RunOptions = {
  readonly rows: readonly Row[];
  readonly effort: Effort;
  readonly signal: AbortSignal;
  /** Takes a line for whoever waits. */
  readonly tell: (line: string) => void;
};

/** Builds the Workers and measures rows one after the other. However it ends, nothing of it stays behind. */
export async function runRows({ rows, effort, signal, tell }: RunOptions): Promise<Outcome[]> {
  tell("Building the Worker and the baselines …");
  const parts = { bundles: await buildBundles(createPrivateFolder("bench")), keyPair: createKeyPair(), effort, signal };
  const outcomes: Outcome[] = [];
  for (const [index, row] of rows.entries()) {
    signal.throwIfAborted();
    tell(`${index + 1} of ${rows.length}: ${row.what} …`);
    const startedAt = performance.now();
    const outcome = await runRow(row, parts);
    tell(`  ${valueText(outcome)}, in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    outcomes.push(outcome);
  }
  return outcomes;
}

async function runRow(row: Row, parts: Omit<Bench, "keep">): Promise<Outcome> {
  await using resources = new AsyncDisposableStack();
  const keep = async <Thing extends Closable>(started: Promise<Thing>) =>
    resources.adopt(await started, (thing) => thing.close());
  return { row, measurement: await row.measure({ ...parts, keep }) };
}
