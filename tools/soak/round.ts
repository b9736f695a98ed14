import type { Coze } from "../emulator/client.ts";
import type { Random } from "../lib/random.ts";
import { type Client, pause } from "./client.ts";
import type { Deployment } from "./deployment.ts";
import type { FaultKind, Period } from "./fault-schedule.ts";
import type { Oracle } from "./oracle.ts";
import type { Recorder } from "./recorder.ts";
import { planRequest, type RequestChoices } from "./request-plan.ts";

/** What the rounds of a run have in common. */
export type Run = {
  readonly deployment: Deployment;
  readonly recorder: Recorder;
  readonly client: Client;
  readonly choices: RequestChoices;
  readonly concurrency: number;
  /** After the last fault, every exchange that it has reached ends within this time. */
  readonly calmMs: number;
  readonly oracle: Oracle;
  /** Ends the run before its time. */
  readonly stop: AbortSignal;
};

/** Requests at the same time when each user requests a token once more. */
const RECOVERY_CONCURRENCY = 32;
/** The longest pause of the circuit breaker, and the attempt after it. */
const MAX_RECOVERY_MS = 36_000;
const RECOVERY_PAUSE_MS = 500;
/** For renewals behind the last responses. */
const LAST_RENEWALS_MS = 1000;
/** Some clients reject the token they got, though Coze has not refused it. */
const FALSE_REJECTION_SHARE = 0.02;
/** Coze revokes the tokens of one user, after a pause of this length at most. */
const MAX_REVOCATION_PAUSE_MS = 2000;

/**
 * Lets clients send requests during the periods of faults, and on until all is calm; then each user requests a token once
 * more, at every place and for every duration, and the oracle checks everything.
 */
export async function runRound(run: Run, periods: readonly Period[], random: Random): Promise<void> {
  const { stop } = run;
  const startedAt = Date.now();
  const armed = new Map<string, FaultKind>();
  const calm = new AbortController();
  const end = AbortSignal.any([calm.signal, stop]);
  await Promise.all([
    runFaults().finally(() => calm.abort()),
    runRevocations(run.deployment.coze, run.choices.users, run.recorder, random.forPart("revocations"), end),
    ...Array.from({ length: run.concurrency }, (_, index) => runRequests(run, random.forPart(`client ${index}`), end)),
  ]);
  if (!stop.aborted) await expectRecovery(run);
  await pause(LAST_RENEWALS_MS, stop);
  await run.oracle.checkRound(armed, (Date.now() - startedAt) / 1000);

  async function runFaults(): Promise<void> {
    await runPeriods(run, periods, armed);
    await pause(run.calmMs, stop);
  }
}

/** Runs one period after the other, until the last or the signal; then Coze and KV respond well again. */
async function runPeriods(
  { deployment: { coze, kv }, recorder: { tally, startPeriod }, stop }: Run,
  periods: readonly Period[],
  armed: Map<string, FaultKind>,
): Promise<void> {
  for (const { name, milliseconds, faults, kv: trouble } of periods) {
    if (stop.aborted) break;
    startPeriod(`${name}, KV ${trouble}`);
    tally.count("period", name);
    tally.count("KV", trouble);
    kv.setTrouble(trouble);
    for (const { kind, fault } of faults) {
      armed.set(await coze.arm(fault), kind);
      tally.count("armed", kind);
    }
    await pause(milliseconds, stop);
    await coze.disarm();
  }
  kv.setTrouble("none");
  startPeriod("calm");
}

/** Sends one request after the other, until the signal. A token that Coze refuses is sent back as rejected. */
async function runRequests({ client, choices }: Run, random: Random, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    const { pauseMs, ...planned } = planRequest(choices, random);
    const rejectsAnyway = random.chance(FALSE_REJECTION_SHARE);
    await pause(pauseMs, end);
    const { accessToken, isRejected } = await client.send({ ...planned, rejectedToken: undefined });
    if (accessToken !== undefined && (isRejected || rejectsAnyway)) {
      await client.send({ ...planned, leave: undefined, rejectedToken: accessToken });
    }
  }
}

/** Revokes the tokens of one user after another until the signal; those of the session without a user it cannot. */
async function runRevocations(
  coze: Coze,
  users: RequestChoices["users"],
  { revocations, tally }: Recorder,
  random: Random,
  end: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(random.whole(0, MAX_REVOCATION_PAUSE_MS), end);
    if (end.aborted) return;
    const user = random.oneOf(users);
    if (user === undefined) continue;

    const startedAt = Date.now();
    await coze.revoke(user);
    revocations.push({ user, startedAt, endedAt: Date.now() });
    tally.count("token", "users whose tokens Coze revoked");
  }
}

/** Whatever happened before, now each gets a token: at once, or after the pause of the circuit breaker. */
async function expectRecovery({ client, choices, recorder, stop }: Run): Promise<void> {
  const { places, users, durationsSeconds } = choices;
  const requests = Array.from({ length: places }, (_, place) =>
    users.flatMap((user) =>
      durationsSeconds.map((durationSeconds) => ({
        place,
        user,
        durationSeconds,
        rejectedToken: undefined,
        leave: undefined,
      })),
    ),
  ).flat();

  const recoveredBy = Date.now() + MAX_RECOVERY_MS;
  const waiting = requests.values();
  const senders = Array.from({ length: RECOVERY_CONCURRENCY }, async () => {
    for (const request of waiting) {
      let { id, accessToken } = await client.send(request);
      while (accessToken === undefined && Date.now() < recoveredBy && !stop.aborted) {
        await pause(RECOVERY_PAUSE_MS, stop);
        ({ id, accessToken } = await client.send(request));
      }
      if (accessToken !== undefined || stop.aborted) continue;
      const message = "got no token although all faults were over";
      recorder.failures.push({ check: "recovery", requestId: id, message });
    }
  });
  await Promise.all(senders);
}
