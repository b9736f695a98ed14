import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Effort } from "./effort.ts";
import { isMet, type Outcome } from "./row.ts";

/** Writes what was measured to a file, as JSON. */
export async function writeReport(file: string, effort: Effort, outcomes: readonly Outcome[]): Promise<void> {
  const rows = outcomes.map((outcome) => {
    const { name, what, budget } = outcome.row;
    return { name, what, budget, ...outcome.measurement, met: isMet(outcome) };
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ effort, rows }, null, 2)}\n`);
}
