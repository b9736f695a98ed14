import { randomInt } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { INTERRUPTED_EXIT_CODE, stopRequest } from "../lib/stop-request.ts";
import { describeReport } from "./report.ts";
import { runSoak, type SoakOptions } from "./soak.ts";

type Options = Pick<SoakOptions, "seconds" | "users" | "concurrency"> & { readonly seed?: number };

/** Two lives of the shortest token, and one round. */
const DEFAULT_SECONDS = 60;
const MAX_SECONDS = 86_400;
/** An isolate keeps 5,000 tokens: with so many users, all that they request. Beyond it, it may drop fresh ones. */
const MAX_USERS = 1000;
const MAX_CONCURRENCY = 1000;
const MAX_SEED = 2 ** 31 - 1;

/** What is not left to the command line. */
const FIXED = {
  periodMs: 3000,
  durationsSeconds: [20, 30, 60, 120, undefined],
  // As deployed, and short, so that timeouts happen more often.
  upstreamTimeoutsMs: [5000, 1000],
} satisfies Partial<SoakOptions>;

const options = readCommandLine();
const { seed, users, concurrency, seconds } = options;
const stop = new AbortController();
stopRequest().then(() => stop.abort());

console.log(`--seed ${seed}: ${users} users, ${concurrency} clients, ${seconds} s of faults. Ctrl-C ends it.`);
try {
  const report = await runSoak(options, { stop: stop.signal, onProgress: console.log });
  console.log(describeReport(report));
  process.exitCode = report.failures.length > 0 ? 1 : successExitCode();
} catch (error) {
  // Ctrl-C ends the build of the Worker as well, and then there is nothing to report.
  if (!stop.signal.aborted) throw error;
  process.exitCode = INTERRUPTED_EXIT_CODE;
}

function successExitCode(): number {
  return stop.signal.aborted ? INTERRUPTED_EXIT_CODE : 0;
}

/** Reads the options. Prints help for `--help` and for mistakes itself, and then ends the process. */
function readCommandLine(): SoakOptions {
  const { seed = randomInt(1, MAX_SEED), ...options } = new Command("npm run soak --")
    .description(
      "Runs the Worker as deployed, in two processes of workerd, against a Coze emulator and a KV namespace that misbehave " +
        "in every way, with many users, and checks every response. Needs no account and calls no other machine.",
    )
    .option("--seconds <number>", "how long the faults last", wholeNumberUpTo(MAX_SECONDS), DEFAULT_SECONDS)
    .option("--users <number>", "how many users there are", wholeNumberUpTo(MAX_USERS), 100)
    .option(
      "--concurrency <number>",
      "how many clients send requests at the same time",
      wholeNumberUpTo(MAX_CONCURRENCY),
      64,
    )
    .option("--seed <number>", "plans the faults and requests (default: a new one)", wholeNumberUpTo(MAX_SEED))
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
