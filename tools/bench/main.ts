import { INTERRUPTED_EXIT_CODE, stopRequest } from "../lib/stop-request.ts";
import { readCommandLine } from "./command-line.ts";
import { FULL_EFFORT, QUICK_EFFORT } from "./effort.ts";
import { writeReport } from "./report.ts";
import { isMet } from "./row.ts";
import { ROWS } from "./rows.ts";
import { runRows } from "./run.ts";
import { tableOf } from "./table.ts";

const { quick, enforce, row: names, json } = readCommandLine(ROWS.map(({ name }) => name));
const effort = quick ? QUICK_EFFORT : FULL_EFFORT;
const rows = ROWS.filter(({ name }) => names === undefined || names.includes(name));
const stopped = new AbortController();
stopRequest().then(() => stopped.abort());

try {
  const outcomes = await runRows({ rows, effort, signal: stopped.signal, tell: console.error });
  await writeReport(json, effort, outcomes);
  console.log(tableOf(outcomes));
  console.log(`The figures are in ${json} too. docs/performance.md explains the rows.`);
  if (enforce && !outcomes.every(isMet)) process.exitCode = 1;
} catch (error) {
  if (!stopped.signal.aborted) throw error;
  console.error("Stopped.");
  process.exitCode = INTERRUPTED_EXIT_CODE;
}
