import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import { describeRefusal, isUnreachable, type tryExchange } from "../lib/try-exchange.ts";
import type { Pair } from "./key-pairs.ts";
import { readConfig } from "./read-config.ts";

/** What waiting for Coze needs of the outside. */
export type CozePorts = {
  readonly tryExchange: typeof tryExchange;
  readonly say: (text: string) => void;
  /** Between two exchanges. */
  readonly pauseMs: number;
};

/** With pauses of 5 s, two minutes. */
const TRIES = 24;
/** Coze knows most new keys by then, so the fingerprint is more likely to be wrong. */
const TRIES_BEFORE_ASKING = 3;

/**
 * Waits until Coze issues a token for the new pair, which shows that it knows the key and that the two belong together.
 * `askKid` gets the KID that Coze does not know, and returns it or the right one.
 * @returns the pair for which it has issued a token.
 * @throws Failure that explains the refusal, at once when no waiting helps, or else when Coze goes on refusing.
 */
export async function waitForKey(
  project: Project,
  asked: Pair,
  ports: CozePorts,
  askKid: (unknown: string) => Promise<string> = async (unknown) => unknown,
): Promise<Pair> {
  let pair = asked;
  for (let attempt = 1; ; attempt += 1) {
    const config = await readConfig(project, pair);
    const exchanged = await ports.tryExchange(config);
    if ("accessToken" in exchanged) {
      ports.say(`${new URL(config.tokenEndpoint).host} has issued a token for the new key, ${pair.kid}.`);
      return pair;
    }
    const { refusal } = exchanged;
    const mayPass = refusal.isUnknownKey || isUnreachable(refusal);
    if (!mayPass || attempt === TRIES) {
      throw new Failure(`The new key ${pair.kid} does not work at Coze. ${describeRefusal(refusal)}`);
    }
    if (attempt === 1) ports.say(describeRefusal(refusal));
    if (refusal.isUnknownKey && attempt === TRIES_BEFORE_ASKING) {
      const kid = await askKid(pair.kid);
      if (kid !== pair.kid) {
        pair = { ...pair, kid };
        attempt = 0;
        continue;
      }
    }
    const advice = refusal.isUnknownKey ? "Coze may take some seconds to know a new key. " : "";
    ports.say(`The new key does not work at Coze yet. ${advice}Trying again in ${ports.pauseMs / 1000} s ...`);
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
