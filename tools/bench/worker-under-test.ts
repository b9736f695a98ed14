import { startWorkerd, type Workerd } from "../workerd/workerd.ts";
import type { Bench } from "./bench.ts";

/** The app that the Worker signs for. */
export const CLIENT_ID = "1127896425345";
export const KID = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE";

/** The settings that Worker and baselines need to ask for a token. */
export function settingsFor({ keyPair }: Pick<Bench, "keyPair">, tokenEndpoint: string) {
  return { CLIENT_ID, KID, PRIVATE_KEY: keyPair.privateKey, TOKEN_ENDPOINT: tokenEndpoint };
}

export type WorkerSurroundings = {
  readonly tokenEndpoint: string;
  /** `host:port` of its KV namespace. */
  readonly kvAddress: string;
  readonly vars?: Readonly<Record<string, unknown>>;
};

/** Starts the Worker as it is deployed, on a workerd of its own. */
export function startWorkerUnderTest(
  bench: Bench,
  { tokenEndpoint, kvAddress, vars = {} }: WorkerSurroundings,
): Promise<Workerd> {
  return bench.keep(
    startWorkerd({
      script: bench.bundles.worker,
      vars: { ...settingsFor(bench, tokenEndpoint), ...vars },
      kv: { TOKEN_CACHE: kvAddress },
      quiet: true,
    }),
  );
}
