import { Command, Option } from "commander";

export type BenchOptions = {
  readonly quick: boolean;
  readonly enforce: boolean;
  /** The names of the rows to run; `undefined`: all. */
  readonly row: readonly string[] | undefined;
  readonly json: string;
};

/** Reads the options. Answers `--help` and mistakes itself, and then ends the process. */
export function readCommandLine(rowNames: readonly string[]): BenchOptions {
  return new Command("npm run bench --")
    .description(
      "Measures the Worker as deployed, on raw workerd, beside simple Workers that show what the same answers cost " +
        "at least. It takes a few minutes and sends requests to this machine only. docs/performance.md explains the rows.",
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
    .opts<BenchOptions>();
}
