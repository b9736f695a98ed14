import { readCommandLine } from "./command-line.ts";
import { FULL_EFFORT, QUICK_EFFORT } from "./effort.ts";
import { writeReport } from "./report.ts";
import { isMet } from "./row.ts";
import { ROWS } from "./rows.ts";
import { runRows } from "./run.ts";
import { tableOf } from "./table.ts";

/** 128 and the number of SIGINT, as shells count. */
const EXIT_CODE_STOPPED = 130;

const { quick, enforce, row: names, json } = readCommandLine(ROWS.map(({ name }) => name));
const effort = quick ? QUICK_EFFORT : FULL_EFFORT;
const rows = ROWS.filter(({ name }) => names === undefined || names.includes(name));
const stopped = new AbortController();
// They stay: a second Ctrl-C must not cut the tidying up short.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopped.abort());

try {
  const outcomes = await runRows({ rows, effort, signal: stopped.signal, tell: console.error });
  await writeReport(json, effort, outcomes);
  console.log(tableOf(outcomes));
  console.log(`The figures are in ${json} too. docs/performance.md explains the rows.`);
  if (enforce && !outcomes.every(isMet)) process.exitCode = 1;
} catch (error) {
  if (!stopped.signal.aborted) throw error;
  console.error("Stopped.");
  process.exitCode = EXIT_CODE_STOPPED;
}
