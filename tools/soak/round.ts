import type { Caller } from "./caller.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Deployment } from "./deployment.ts";
import type { Judge } from "./judge.ts";
import { runClient, runRevocations } from "./load.ts";
import { pause } from "./pause.ts";
import type { Random } from "./random.ts";
import type { RequestChoices } from "./request-plan.ts";
import { type ArmedFaults, runTroubles } from "./troubles.ts";
import type { Period } from "./weather.ts";

/** What the rounds of a run have in common. */
export type Run = {
  readonly deployment: Deployment;
  readonly chronicle: Chronicle;
  readonly call: Caller;
  readonly choices: RequestChoices;
  readonly concurrency: number;
  /** After the last trouble, every exchange that it has reached ends within this time. */
  readonly calmMs: number;
  readonly judge: Judge;
  /** Ends the run before its time. */
  readonly stop: AbortSignal;
};

/** Requests at the same time when all users ask once more. */
const RECOVERY_CONCURRENCY = 32;
/** The longest pause of the circuit breaker, and the attempt after it. */
const MAX_REST_MS = 36_000;
const RECOVERY_PAUSE_MS = 500;
/** For renewals behind the last answers. */
const LAST_RENEWALS_MS = 1000;

/**
 * Lets clients ask while the periods of trouble pass, and on until all is calm; then every user asks once more, at every
 * place and for every duration, and everything is judged.
 */
export async function runRound(run: Run, periods: readonly Period[], random: Random): Promise<void> {
  const { deployment, chronicle, call, choices, stop } = run;
  const startedAt = Date.now();
  const armed: ArmedFaults = new Map();
  const calm = new AbortController();
  const end = AbortSignal.any([calm.signal, stop]);
  await Promise.all([
    passTroubles().finally(() => calm.abort()),
    runRevocations(deployment.coze, choices.users, chronicle, random.forPart("revocations"), end),
    ...Array.from({ length: run.concurrency }, (_, index) =>
      runClient(call, choices, random.forPart(`client ${index}`), end),
    ),
  ]);
  if (!stop.aborted) await askOnceMore(run);
  await pause(LAST_RENEWALS_MS, stop);
  await run.judge.judgeRound(armed, (Date.now() - startedAt) / 1000);

  async function passTroubles(): Promise<void> {
    await runTroubles(deployment, periods, armed, chronicle, stop);
    await pause(run.calmMs, stop);
  }
}

/** Whatever happened before, now each gets a token: at once, or when the circuit breaker has let Coze rest. */
async function askOnceMore({ call, choices, chronicle, stop }: Run): Promise<void> {
  const { places, users, durationsSeconds } = choices;
  const calls = Array.from({ length: places }, (_, place) =>
    users.flatMap((user) => durationsSeconds.map((durationSeconds) => ({ place, user, durationSeconds }))),
  ).flat();

  const restedAt = Date.now() + MAX_REST_MS;
  const waiting = calls.values();
  const askers = Array.from({ length: RECOVERY_CONCURRENCY }, async () => {
    for (const asked of waiting) {
      let { id, accessToken } = await call({ ...asked, rejectedToken: undefined, leave: undefined });
      while (accessToken === undefined && Date.now() < restedAt && !stop.aborted) {
        await pause(RECOVERY_PAUSE_MS, stop);
        ({ id, accessToken } = await call({ ...asked, rejectedToken: undefined, leave: undefined }));
      }
      if (accessToken !== undefined || stop.aborted) continue;
      const problem = "got no token although all troubles were over";
      chronicle.failures.push({ check: "recovery", requestId: id, problem });
    }
  });
  await Promise.all(askers);
}
