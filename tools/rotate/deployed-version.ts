import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { Context } from "./context.ts";
import type { RotationState } from "./rotation-state.ts";

const TIMEOUT_MS = 15_000;
/** With pauses of 5 s, a minute: a version takes seconds to be everywhere. */
const TRIES = 12;

const health = z.looseObject({ deployment: z.string() });

/** Reads which version of the Worker responds, by its id at Cloudflare; `undefined` where `/health` does not say. */
export async function readVersion(url: URL): Promise<string | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(new URL("/health", url), { redirect: "manual", signal }).catch(() => undefined);
  const parsed = health.safeParse(await response?.json().catch(() => undefined));
  return parsed.success ? parsed.data.deployment : undefined;
}

/**
 * Waits until another version than `before` responds, for some time, because the one before goes on responding for some
 * seconds. Returns the id of the one that responds then.
 */
export async function waitForVersion(
  url: URL,
  before: string | undefined,
  { pauseMs }: Context["ports"],
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const version = await readVersion(url);
    if (before === undefined || version !== before || attempt === TRIES) return version;
    await sleep(pauseMs);
  }
}

/**
 * Tells whether another version runs than the one that a rotation has deployed, such as after a rollback: a token that it
 * issues does not show for which key. Says so where `/health` does not tell.
 */
export async function runsOtherVersion(
  { version }: Pick<RotationState, "version">,
  url: URL,
  { say }: Context["ports"],
): Promise<boolean> {
  const running = await readVersion(url);
  if (version === undefined || running === undefined) {
    say(
      `It could not be told whether ${url.host} still runs what this rotation deployed, with the new key: its /health ` +
        "names no deployment. If anything else was deployed or rolled back meanwhile, check that first.",
    );
    return false;
  }
  if (running === version) return false;
  say(
    `${url.host} runs the version ${running}, and not ${version}, which this rotation deployed: it may use the old key. ` +
      "So the new pair has to be deployed again.",
  );
  return true;
}
