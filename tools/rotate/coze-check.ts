import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import { describeRefusal, isUnreachable, type tryExchange } from "../lib/try-exchange.ts";
import type { Pair } from "./key-pairs.ts";
import { readConfig } from "./read-config.ts";

export type CozePorts = {
  readonly tryExchange: typeof tryExchange;
  readonly say: (text: string) => void;
  /** Between two exchanges. */
  readonly pauseMs: number;
};

/** Coze may take some seconds to know a new key; with pauses of 5 s, two minutes. */
const TRIES = 24;

/**
 * Waits until Coze issues a token for the new pair, which shows that it knows the key and that the two belong together.
 * @throws Failure that explains the refusal, when Coze goes on refusing.
 */
export async function waitForKey(project: Project, pair: Pair, ports: CozePorts): Promise<void> {
  const config = await readConfig(project, pair);
  for (let attempt = 1; ; attempt += 1) {
    const exchanged = await ports.tryExchange(config);
    if ("accessToken" in exchanged) {
      ports.say(`${new URL(config.tokenEndpoint).host} has issued a token for the new key, ${pair.kid}.`);
      return;
    }
    const { refusal } = exchanged;
    const mayPass = refusal.isKeyRefusal || isUnreachable(refusal);
    if (!mayPass || attempt === TRIES) {
      throw new Failure(`The new key ${pair.kid} does not work at Coze. ${describeRefusal(refusal)}`);
    }
    if (attempt === 1) ports.say(describeRefusal(refusal));
    ports.say(`The new key does not work at Coze yet. Trying again in ${ports.pauseMs / 1000} s ...`);
    await sleep(ports.pauseMs);
  }
}

/**
 * Checks that the pair that is to become the previous one is one that Coze knows.
 * @throws Failure when Coze refuses it, with `advice` after the reason.
 */
export async function checkPreviousPair(
  project: Project,
  pair: Pair,
  { tryExchange }: CozePorts,
  advice: string,
): Promise<void> {
  const exchanged = await tryExchange(await readConfig(project, pair));
  if ("accessToken" in exchanged) return;
  throw new Failure(
    `The old key ${pair.kid} does not work at Coze, so it cannot stand in for the new one. ` +
      `${describeRefusal(exchanged.refusal)}\n${advice}`,
  );
}
