import { Command } from "commander";
import { type Finding, findingsJson, findingsTable, hasFailed } from "../lib/finding.ts";
import { Failure } from "../start/failure.ts";
import { checkLocal } from "./local.ts";

type Options = {
  readonly env?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
};

const command = new Command("npm run doctor --")
  .description(
    "Checks that this service is set up right: one table of what was found, and what to do about each failure.",
  )
  .option("--env <name>", "the environment of wrangler.toml to check, instead of its top level")
  .option("--json", "print a list of { name, ok, detail, hint } instead of the table")
  .option("--verbose", "say more about what was found")
  .helpOption("--help", "show this")
  .addHelpText("after", "\nThe exit status is 1 if something needs fixing, 2 if the check itself failed, else 0.")
  .showHelpAfterError("npm run doctor -- --help lists the options.")
  .parse();

const options = command.opts<Options>();
process.exitCode = await examine(options).then(report, explain);

async function examine({ env }: Options): Promise<readonly Finding[]> {
  const { findings } = await checkLocal(process.cwd(), env || undefined, "local");
  return findings;
}

function report(findings: readonly Finding[]): number {
  const { json = false, verbose = false } = options;
  console.log(
    json ? findingsJson(findings) : findingsTable(findings, { width: process.stdout.columns ?? 120, verbose }),
  );
  return hasFailed(findings) ? 1 : 0;
}

function explain(error: unknown): number {
  console.error(error instanceof Failure ? error.message : error);
  return 2;
}
