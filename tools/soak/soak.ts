import { createRandom } from "../lib/random.ts";
import { createClient } from "./client.ts";
import { putAgeingTokens, startDeployment } from "./deployment.ts";
import { faultSchedule } from "./fault-schedule.ts";
import { createOracle } from "./oracle.ts";
import { checkLog, checkMemory, measureMemory } from "./process-checks.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import type { SoakReport } from "./report.ts";
import { createUsers } from "./request-plan.ts";
import { type Run, runRound } from "./round.ts";

export type SoakOptions = {
  /** Faults last so long; starting, calming down and the last checks come on top. */
  readonly seconds: number;
  readonly users: number;
  /** So many clients send requests at the same time. */
  readonly concurrency: number;
  /** The same seed plans the same faults, and the same requests of each client. */
  readonly seed: number;
  /** Each kind of fault lasts about so long. */
  readonly periodMs: number;
  /** What requests ask for; `undefined`: the default. */
  readonly durationsSeconds: readonly (number | undefined)[];
  /** UPSTREAM_TIMEOUT_MS of each place; there are as many places. */
  readonly upstreamTimeoutsMs: readonly number[];
};

export type SoakEvents = {
  /** Ends the run before its time; what was recorded so far is still checked. */
  readonly stop: AbortSignal;
  readonly onProgress: (line: string) => void;
};

/** After such a time a round ends: everything is checked, and what is recorded of each request is dropped. */
const MAX_ROUND_SECONDS = 60;
const PROGRESS_MS = 5000;

/** All attempts of an exchange have this long, and one second goes into reading KV before it. */
const EXCHANGE_BUDGET_MS = 10_000;
const KV_READ_MS = 1000;
const ATTEMPTS = 3;
/** Between the attempts: as long as the Retry-After of a fault, twice. */
const RETRY_PAUSES_MS = 2000;

/** Runs the Worker under faults of all kinds, and reports what happened and what should not have. */
export async function runSoak(options: SoakOptions, { stop, onProgress }: SoakEvents): Promise<SoakReport> {
  await using resources = new AsyncDisposableStack();
  onProgress("Building the Worker and starting it …");
  const deployment = await startDeployment(options.upstreamTimeoutsMs, resources);
  const users = createUsers(options.users);
  await putAgeingTokens(deployment, users);

  const recorder = createRecorder();
  const run: Run = {
    deployment,
    recorder,
    client: createClient(deployment, recorder, stop),
    choices: { places: deployment.places.length, users, durationsSeconds: options.durationsSeconds },
    concurrency: options.concurrency,
    calmMs: calmMsFor(options),
    oracle: createOracle(deployment, recorder),
    stop,
  };
  const startedAt = Date.now();
  const elapsedSeconds = () => Math.round((Date.now() - startedAt) / 1000);
  const progress = setInterval(() => onProgress(`${elapsedSeconds()} s: ${describeProgress(recorder)}`), PROGRESS_MS);
  resources.defer(() => clearInterval(progress));
  const processes = deployment.places.map(({ workerd }) => workerd);
  const measureAtEnd = measureMemory(processes, options.seconds * 1000, stop);

  const random = createRandom(options.seed);
  const rounds = Math.ceil(options.seconds / MAX_ROUND_SECONDS);
  for (let round = 1; round <= rounds && !stop.aborted; round += 1) {
    const ofRound = random.forPart(`round ${round}`);
    const periods = faultSchedule((options.seconds * 1000) / rounds, options.periodMs, ofRound.forPart("faults"));
    await runRound(run, periods, ofRound);
  }

  const residences = await measureAtEnd();
  recorder.failures.push(...checkMemory(residences), ...processes.flatMap((workerd) => checkLog(workerd.logLines())));
  return {
    seed: options.seed,
    seconds: elapsedSeconds(),
    wasStopped: stop.aborted,
    tally: recorder.tally,
    exchanges: run.oracle.totals(),
    residences,
    kv: { reads: deployment.kv.reads(), writes: deployment.kv.writes() },
    failures: recorder.failures,
  };
}

/** After the last fault, every exchange that it has reached ends within this time. */
function calmMsFor({ upstreamTimeoutsMs }: SoakOptions): number {
  const attemptsMs = ATTEMPTS * Math.max(...upstreamTimeoutsMs) + RETRY_PAUSES_MS;
  return Math.min(EXCHANGE_BUDGET_MS, attemptsMs) + KV_READ_MS;
}

function describeProgress({ tally, failures, period }: Recorder): string {
  const counts = `${tally.total("outcome")} requests, ${tally.of("outcome", "200")} tokens, ${failures.length} failures`;
  return `${counts} (${period()})`;
}
