import { Command, InvalidArgumentError } from "commander";
import { DEFAULT_MODEL, type Model } from "./model.ts";
import { reportTable } from "./report.ts";
import { type SimulatedMonth, simulate } from "./simulate.ts";

type CommandLine = Omit<Model, "tokenSeconds" | "hasKv" | "kvPropagationSeconds"> & {
  /** `undefined`: all of the table in docs/performance.md. */
  readonly users: number | undefined;
  readonly duration: number | undefined;
  readonly kv: boolean;
  readonly kvPropagation: number;
  readonly seed: number;
  readonly maxRequests: number;
  readonly json: boolean;
};

const DEFAULT_USERS = [1, 100, 10_000, 1_000_000];
const DEFAULT_DURATIONS = [900, 3600];
const MAX_USERS = 100_000_000;
/** Some 5 seconds for a line of the table. */
const DEFAULT_MAX_REQUESTS = 150_000;
/** The requests of a line are planned before the first is sent, and kept in memory. */
const MAX_REQUESTS = 5_000_000;

const { users, duration, kv, kvPropagation, seed, maxRequests, json, ...parameters } = readCommandLine();
const months: SimulatedMonth[] = [];
for (const userCount of users === undefined ? DEFAULT_USERS : [users]) {
  for (const tokenSeconds of duration === undefined ? DEFAULT_DURATIONS : [duration]) {
    const model = { ...parameters, tokenSeconds, hasKv: kv, kvPropagationSeconds: kvPropagation };
    const onProgress = progressOf(`${userCount.toLocaleString("en")} users, tokens of ${tokenSeconds} s`);
    months.push(await simulate(model, { users: userCount, seed, maxRequests, onProgress }));
  }
}
console.log(json ? JSON.stringify(months, null, 2) : reportTable(months));

/** Tells of each fifth on stderr, so that stdout has the result only. */
function progressOf(what: string): (done: number) => void {
  let next = 0;
  return (done) => {
    if (done < next) return;
    console.error(`${what}: ${Math.floor(done * 100)} %`);
    next = Math.floor(done * 5 + 1) / 5;
  };
}

/** Reads the options. Prints help for `--help` and for mistakes itself, and then ends the process. */
function readCommandLine(): CommandLine {
  const standard = DEFAULT_MODEL;
  return new Command("npm run simulate --")
    .description(
      "Simulates a month of the service and what it costs: the token service of the Worker with a virtual clock, isolates " +
        "in many data centres, Workers KV, and users by a daily curve. It takes under a minute and calls no other machine. " +
        "docs/performance.md explains the model.",
    )
    .option("--users <number>", `only so many users (default: ${DEFAULT_USERS.join(", ")})`, wholeFrom(1, MAX_USERS))
    .option(
      "--duration <seconds>",
      `only this TOKEN_DURATION (default: ${DEFAULT_DURATIONS.join(", ")})`,
      wholeFrom(1, 86_399),
    )
    .option("--requests-per-hour <number>", "of an active user", numberFrom(0.01, 3600), standard.requestsPerHour)
    .option("--hours-per-day <number>", "in which a user is active", numberFrom(0.01, 24), standard.hoursPerDay)
    .option(
      "--sessions-per-day <number>",
      "among which these hours are divided",
      wholeFrom(1, 24),
      standard.sessionsPerDay,
    )
    .option("--locations <number>", "data centres in which users arrive", wholeFrom(1, 300), standard.locations)
    .option("--isolates-per-location <number>", "at least", wholeFrom(1, 1000), standard.isolatesPerLocation)
    .option(
      "--requests-per-second-and-isolate <number>",
      "beyond which a location starts another isolate",
      numberFrom(0.01, 10_000),
      standard.requestsPerSecondAndIsolate,
    )
    .option(
      "--isolate-idle-seconds <number>",
      "after which an isolate without requests ends",
      numberFrom(1, 86_400),
      standard.isolateIdleSeconds,
    )
    .option(
      "--isolate-life-hours <number>",
      "on average, of a busy one",
      numberFrom(0.01, 720),
      standard.isolateLifeHours,
    )
    .option(
      "--kv-propagation <seconds>",
      "until other locations see a write",
      numberFrom(0, 3600),
      standard.kvPropagationSeconds,
    )
    .option("--no-kv", "without a KV namespace")
    .option("--seed <number>", "of the random numbers: the same gives the same figures", wholeFrom(1, 2 ** 31 - 1), 1)
    .option(
      "--max-requests <number>",
      "how many to simulate for each line: beyond it, fewer days or users are simulated and scaled",
      wholeFrom(1, MAX_REQUESTS),
      DEFAULT_MAX_REQUESTS,
    )
    .option("--json", "print the figures as JSON", false)
    .helpOption("--help", "show this")
    .addHelpText(
      "after",
      "\nExamples:\n  npm run simulate\n  npm run simulate -- --users 50000 --duration 1800 --no-kv\n",
    )
    .showHelpAfterError("npm run simulate -- --help lists the options.")
    .allowExcessArguments(false)
    .parse()
    .opts<CommandLine>();
}

function wholeFrom(min: number, max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function numberFrom(min: number, max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}
