import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CHECK_INTERVAL_MS } from "../deploy/deploy.ts";
import { runWrangler } from "../deploy/run-wrangler.ts";
import { rotateCommand } from "../lib/commands.ts";
import { printError } from "../lib/failure.ts";
import { findKeyFile } from "../lib/key-file.ts";
import { Interrupted, terminal } from "../lib/prompter.ts";
import { exitOnSignals, INTERRUPTED_EXIT_CODE } from "../lib/stop-request.ts";
import { tryExchange } from "../lib/try-exchange.ts";
import { readCommandLine } from "./command-line.ts";
import type { RotatePorts } from "./context.ts";
import { type RotateResult, rotate } from "./rotate.ts";
import { stateFile } from "./rotation-state.ts";

/** To be run again later. */
const UNFINISHED_EXIT_CODE = 2;

const EXIT_CODES: Readonly<Record<RotateResult["outcome"], number>> = {
  planned: 0,
  finished: 0,
  stopped: UNFINISHED_EXIT_CODE,
  waiting: UNFINISHED_EXIT_CODE,
};

const { options, env, json } = readCommandLine(process.argv.slice(2));
exitOnSignals();
process.exitCode = await run().catch(explain);

async function run(): Promise<number> {
  const root = process.cwd();
  const isInteractive = process.stdin.isTTY === true && process.stdout.isTTY === true && !json;
  const ports: RotatePorts = {
    prompter: isInteractive ? terminal : undefined,
    // With --json, the JSON is all of the output.
    say: json ? console.error : console.log,
    runWrangler: json ? (args) => runWrangler(args, true) : runWrangler,
    tryExchange,
    keyFile: findKeyFile(root, homedir()),
    credential: process.env["CREDENTIAL"] || undefined,
    width: process.stdout.columns ?? 120,
    pauseMs: CHECK_INTERVAL_MS,
    now: Date.now,
  };
  const result = await rotate({ root, env, options, ports });
  const { outcome, oldKid, newKid, deleteAfter = null } = result;
  if (json)
    console.log(JSON.stringify({ outcome, old_kid: oldKid, new_kid: newKid, delete_after: deleteAfter }, null, 2));
  return EXIT_CODES[outcome];
}

function explain(error: unknown): number {
  if (error instanceof Interrupted) {
    const hasBegun = existsSync(join(process.cwd(), stateFile({ env })));
    const said = `Interrupted. What is done is recorded: ${rotateCommand(env)} goes on.`;
    console.error(hasBegun ? said : "Interrupted: nothing was done.");
    return INTERRUPTED_EXIT_CODE;
  }
  printError(error);
  return 1;
}
