import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { createCoze } from "../emulator/client.ts";
import { randomAccessToken } from "../emulator/live-tokens.ts";
import { startEmulator } from "../emulator/server.ts";
import { serveOnLoopback } from "../lib/loopback-server.ts";
import { startWorkerd, type Workerd } from "../workerd/workerd.ts";
import type { Bench } from "./bench.ts";

/** The app that the Worker signs for. */
const CLIENT_ID = "1127896425345";
const KID = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE";

/** Coze's own default. */
const TOKEN_SECONDS = 900;

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

/** The settings that Worker and baselines need to get a token from Coze. */
export function settingsFor({ keyPair }: Pick<Bench, "keyPair">, tokenEndpoint: string) {
  return { CLIENT_ID, KID, PRIVATE_KEY: keyPair.privateKey, TOKEN_ENDPOINT: tokenEndpoint };
}

/** A token endpoint that costs next to nothing: it checks nothing and responds as Coze does. */
export type Upstream = {
  readonly tokenEndpoint: string;
  /** How many exchanges it has responded to. */
  readonly exchanges: () => number;
  readonly close: () => Promise<void>;
};

/** Starts a token endpoint on a free port of the loopback address, which takes `delayMs` for each response. */
export async function startUpstream(delayMs = 0): Promise<Upstream> {
  const accessToken = randomAccessToken();
  let exchanges = 0;

  const app = new Hono().post("/token", async (c) => {
    exchanges += 1;
    if (delayMs > 0) await sleep(delayMs);
    const expiresAt = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
    return c.json({ access_token: accessToken, expires_in: expiresAt, token_type: "Bearer" });
  });
  const { url, close } = await serveOnLoopback(app.fetch);
  return { tokenEndpoint: `${url}/token`, exchanges: () => exchanges, close };
}

/** A token endpoint that checks assertions as Coze does. */
export type EmulatedCoze = {
  readonly tokenEndpoint: string;
  /** How many exchanges have arrived, refused ones included. */
  readonly exchanges: () => Promise<number>;
  readonly close: () => Promise<void>;
};

/** Starts the emulator with the app registered; its first exchange takes `firstDelayMs`. */
export async function startEmulatedCoze({ keyPair }: Bench, firstDelayMs = 0): Promise<EmulatedCoze> {
  const emulator = await startEmulator();
  const coze = createCoze(emulator.url);
  await coze.registerApp(CLIENT_ID, [KID], keyPair.publicKey);
  if (firstDelayMs > 0) await coze.arm({ delay_ms: firstDelayMs });
  return {
    tokenEndpoint: coze.tokenEndpoint,
    exchanges: async () => (await coze.exchanges()).length,
    close: () => emulator.close(),
  };
}
