import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const POLL_MS = 100;

/** wrangler now and then loses a request while it starts; the next one is answered. */
const ATTEMPT_MS = 5000;

const health = z.union([
  z.object({ status: z.literal("ok") }),
  z.object({
    status: z.literal("misconfigured"),
    problems: z.array(z.object({ setting: z.string(), problem: z.string() })),
  }),
]);

/** What `/health` says is wrong with a setting. */
export type SettingProblem = { readonly setting: string; readonly problem: string };

/** Asks the Worker at `url` until it answers, for ever, and tells what is wrong with its settings: nothing, mostly. */
export async function settingProblems(url: string): Promise<readonly SettingProblem[]> {
  for (;;) {
    const answer = await askHealth(url);
    if (answer !== undefined) return answer.status === "ok" ? [] : answer.problems;
    await sleep(POLL_MS);
  }
}

/** Undefined while nobody answers, or only wrangler does because the Worker cannot run. */
async function askHealth(url: string): Promise<z.infer<typeof health> | undefined> {
  try {
    const response = await fetch(new URL("/health", url), { signal: AbortSignal.timeout(ATTEMPT_MS) });
    return health.safeParse(await response.json()).data;
  } catch {
    return undefined;
  }
}
