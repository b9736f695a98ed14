import { randomInt } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import type { SoakOptions } from "./soak.ts";

type Options = Pick<SoakOptions, "seconds" | "users" | "concurrency"> & { readonly seed?: number };

/** Two lives of the shortest token, and one round. */
const DEFAULT_SECONDS = 60;
const MAX_SECONDS = 86_400;
/** An isolate keeps 5,000 tokens: of so many users, all that they ask for. Beyond it, it may forget fresh ones. */
const MAX_USERS = 1000;
const MAX_CONCURRENCY = 1000;
const MAX_SEED = 2 ** 31 - 1;

/** What is not left to the command line. */
const FIXED = {
  periodMs: 3000,
  durationsSeconds: [20, 30, 60, 120, undefined],
  // As deployed, and short, so that more of it happens.
  upstreamTimeoutsMs: [5000, 1000],
} satisfies Partial<SoakOptions>;

/** Reads the options. Answers `--help` and mistakes itself, and then ends the process. */
export function readCommandLine(): SoakOptions {
  const { seed = randomInt(1, MAX_SEED), ...options } = new Command("npm run soak --")
    .description(
      "Runs the Worker as deployed, in two processes of workerd, against a Coze emulator and a KV namespace that misbehave " +
        "in every way, with many users, and checks every answer. Needs no account and calls nobody.",
    )
    .option("--seconds <number>", "how long the troubles last", wholeNumberUpTo(MAX_SECONDS), DEFAULT_SECONDS)
    .option("--users <number>", "how many users ask", wholeNumberUpTo(MAX_USERS), 100)
    .option("--concurrency <number>", "how many clients ask at the same time", wholeNumberUpTo(MAX_CONCURRENCY), 64)
    .option("--seed <number>", "plans the troubles and requests (default: a new one)", wholeNumberUpTo(MAX_SEED))
    .helpOption("--help", "show this")
    .showHelpAfterError("npm run soak -- --help lists the options.")
    .parse()
    .opts<Options>();
  return { ...FIXED, ...options, seed };
}

function wholeNumberUpTo(max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}
