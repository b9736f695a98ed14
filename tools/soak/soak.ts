import { putAgeingTokens } from "./ageing-tokens.ts";
import { createCaller } from "./caller.ts";
import { type Chronicle, createChronicle } from "./chronicle.ts";
import { type Deployment, startDeployment } from "./deployment.ts";
import { createJudge } from "./judge.ts";
import { logFailures } from "./log-check.ts";
import { memoryFailures, type Residence, residentKiBOf } from "./memory-bound.ts";
import { pause } from "./pause.ts";
import { createRandom } from "./random.ts";
import type { SoakReport } from "./report.ts";
import { type Run, runRound } from "./round.ts";
import { createUsers } from "./users.ts";
import { planWeather } from "./weather.ts";

export type SoakOptions = {
  /** For so long there are troubles; starting, calming down and the last checks come on top. */
  readonly seconds: number;
  readonly users: number;
  /** So many clients ask at the same time. */
  readonly concurrency: number;
  /** The same seed plans the same troubles, and the same requests of each client. */
  readonly seed: number;
  /** About so long each kind of trouble lasts. */
  readonly periodMs: number;
  /** What users ask for; `undefined`: the default. */
  readonly durationsSeconds: readonly (number | undefined)[];
  /** UPSTREAM_TIMEOUT_MS of each place; there are as many places. */
  readonly upstreamTimeoutsMs: readonly number[];
};

export type SoakEvents = {
  /** Ends the run before its time; what was noted so far is still judged. */
  readonly stop: AbortSignal;
  readonly onProgress: (line: string) => void;
};

/** After such a time a round ends: all is judged, and what is noted of each request is let go. */
const MAX_ROUND_SECONDS = 60;
const PROGRESS_MS = 5000;

/** In this share of a run, and no more than this time, the processes have seen every kind of request. */
const WARM_UP_SHARE = 0.25;
const MAX_WARM_UP_MS = 15_000;

/** All attempts of an exchange have this long, and one second goes into reading KV before it. */
const EXCHANGE_BUDGET_MS = 10_000;
const KV_READ_MS = 1000;
const ATTEMPTS = 3;
/** Between the attempts: as long as the Retry-After of a fault, twice. */
const RETRY_PAUSES_MS = 2000;

/** Runs the Worker under troubles of all kinds, and reports all that happened and all that should not have. */
export async function runSoak(options: SoakOptions, { stop, onProgress }: SoakEvents): Promise<SoakReport> {
  await using resources = new AsyncDisposableStack();
  onProgress("Building the Worker and starting it …");
  const deployment = await startDeployment(options.upstreamTimeoutsMs, resources);
  const users = createUsers(options.users);
  await putAgeingTokens(deployment, users);

  const chronicle = createChronicle();
  const run: Run = {
    deployment,
    chronicle,
    call: createCaller(deployment, chronicle, stop),
    choices: { places: deployment.places.length, users, durationsSeconds: options.durationsSeconds },
    concurrency: options.concurrency,
    calmMs: calmMsFor(options),
    judge: createJudge(deployment, chronicle),
    stop,
  };
  const startedAt = Date.now();
  const elapsedSeconds = () => Math.round((Date.now() - startedAt) / 1000);
  const progress = setInterval(() => onProgress(`${elapsedSeconds()} s: ${progressOf(chronicle)}`), PROGRESS_MS);
  resources.defer(() => clearInterval(progress));
  const warmedUp = residentAfterWarmUp(deployment, options, stop);

  const random = createRandom(options.seed);
  const rounds = Math.ceil(options.seconds / MAX_ROUND_SECONDS);
  for (let round = 1; round <= rounds && !stop.aborted; round += 1) {
    const ofRound = random.forPart(`round ${round}`);
    const weather = planWeather((options.seconds * 1000) / rounds, options.periodMs, ofRound.forPart("weather"));
    await runRound(run, weather, ofRound);
  }

  const residences = residencesOf(await warmedUp, await residentKiBOf(deployment.places.map(({ workerd }) => workerd)));
  chronicle.failures.push(
    ...memoryFailures(residences),
    ...deployment.places.flatMap(({ workerd }) => logFailures(workerd.logLines())),
  );
  return {
    seed: options.seed,
    seconds: elapsedSeconds(),
    wasStopped: stop.aborted,
    tally: chronicle.tally,
    exchanges: run.judge.totals(),
    residences,
    kv: { reads: deployment.kv.reads(), writes: deployment.kv.writes() },
    failures: chronicle.failures,
  };
}

/** After the last trouble, every exchange that it has reached ends within this time. */
function calmMsFor({ upstreamTimeoutsMs }: SoakOptions): number {
  const attemptsMs = ATTEMPTS * Math.max(...upstreamTimeoutsMs) + RETRY_PAUSES_MS;
  return Math.min(EXCHANGE_BUDGET_MS, attemptsMs) + KV_READ_MS;
}

async function residentAfterWarmUp({ places }: Deployment, { seconds }: SoakOptions, stop: AbortSignal) {
  await pause(Math.min(MAX_WARM_UP_MS, seconds * 1000 * WARM_UP_SHARE), stop);
  return stop.aborted ? undefined : residentKiBOf(places.map(({ workerd }) => workerd));
}

function residencesOf(
  afterWarmUp: readonly number[] | undefined,
  atEnd: readonly number[] | undefined,
): readonly Residence[] {
  if (afterWarmUp === undefined || atEnd === undefined) return [];
  return afterWarmUp.map((afterWarmUpKiB, index) => ({ afterWarmUpKiB, atEndKiB: atEnd[index] ?? 0 }));
}

function progressOf({ tally, failures, weather }: Chronicle): string {
  const counts = `${tally.total("outcome")} requests, ${tally.of("outcome", "200")} tokens, ${failures.length} failures`;
  return `${counts} (${weather()})`;
}
