import { Command, Option } from "commander";
import { INTERRUPTED_EXIT_CODE, stopRequest } from "../lib/stop-request.ts";
import { FULL_EFFORT, QUICK_EFFORT, runBench } from "./bench.ts";
import { reportTable, writeReport } from "./report.ts";
import { isMet } from "./row.ts";
import { ROWS } from "./rows.ts";

type CommandLine = {
  readonly quick: boolean;
  readonly enforce: boolean;
  /** The names of the rows to run; `undefined`: all. */
  readonly row: readonly string[] | undefined;
  readonly json: string;
};

const { quick, enforce, row: names, json } = readCommandLine(ROWS.map(({ name }) => name));
const effort = quick ? QUICK_EFFORT : FULL_EFFORT;
const rows = ROWS.filter(({ name }) => names === undefined || names.includes(name));
const stopped = new AbortController();
stopRequest().then(() => stopped.abort());

try {
  const measured = await runBench({ rows, effort, signal: stopped.signal, tell: console.error });
  await writeReport(json, effort, measured);
  console.log(reportTable(measured));
  console.log(`The figures are in ${json} too. docs/performance.md explains the rows.`);
  if (enforce && !measured.every(isMet)) process.exitCode = 1;
} catch (error) {
  if (!stopped.signal.aborted) throw error;
  console.error("Stopped.");
  process.exitCode = INTERRUPTED_EXIT_CODE;
}

/** Reads the options. Prints help for `--help` and for mistakes itself, and then ends the process. */
function readCommandLine(rowNames: readonly string[]): CommandLine {
  return new Command("npm run bench --")
    .description(
      "Measures the Worker as deployed, on raw workerd, beside simple Workers that show the least that the same responses " +
        "cost. It takes a few minutes and sends requests to this machine only. docs/performance.md explains the rows.",
    )
    .option("--quick", "a smoke run of under a minute: its ratios say little", false)
    .addOption(new Option("--row <name...>", "only these rows").choices(rowNames))
    .option("--json <file>", "where the figures go", "dist/bench.json")
    .option("--enforce", "end with exit code 1 when a budget is not met", false)
    .helpOption("--help", "show this")
    .addHelpText("after", "\nExamples:\n  npm run bench\n  npm run bench -- --row memory-hit kv-hit\n")
    .showHelpAfterError("npm run bench -- --help lists the options.")
    .allowExcessArguments(false)
    .parse()
    .opts<CommandLine>();
}
