import type { Coze } from "../emulator/client.ts";
import type { Caller } from "./caller.ts";
import type { Chronicle } from "./chronicle.ts";
import { pause } from "./pause.ts";
import type { Random } from "./random.ts";
import { planRequest, type RequestChoices } from "./request-plan.ts";

/** A client that got a token now and then says that Coze has refused it, though it has not. */
const FALSE_REFUSAL_SHARE = 0.02;
/** Now and then Coze takes back the tokens of one user. */
const MAX_REVOCATION_PAUSE_MS = 2000;

/** Lets one client ask, one request after the other, until the signal. What Coze refuses it sends back. */
export async function runClient(call: Caller, choices: RequestChoices, random: Random, end: AbortSignal) {
  while (!end.aborted) {
    const { pauseMs, ...planned } = planRequest(choices, random);
    const refusesAnyway = random.chance(FALSE_REFUSAL_SHARE);
    await pause(pauseMs, end);
    const { accessToken, isRefused } = await call({ ...planned, rejectedToken: undefined });
    if (accessToken !== undefined && (isRefused || refusesAnyway)) {
      await call({ ...planned, leave: undefined, rejectedToken: accessToken });
    }
  }
}

/** Takes back the tokens of one user after another until the signal; of nobody's, who has no name, it cannot. */
export async function runRevocations(
  coze: Coze,
  users: RequestChoices["users"],
  { revocations, tally }: Chronicle,
  random: Random,
  end: AbortSignal,
) {
  for (;;) {
    await pause(random.whole(0, MAX_REVOCATION_PAUSE_MS), end);
    if (end.aborted) return;
    const user = random.oneOf(users);
    if (user === undefined) continue;

    const startedAt = Date.now();
    await coze.revoke(user);
    revocations.push({ user, startedAt, endedAt: Date.now() });
    tally.count("token", "users whose tokens Coze took back");
  }
}
