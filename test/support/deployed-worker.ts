import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Coze, createCoze } from "../../tools/emulator/client.ts";
import { startEmulator } from "../../tools/emulator/server.ts";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { buildWorker } from "../../tools/workerd/worker-bundle.ts";

const CLIENT_ID = "1127";
const KID = "kid";
const keyPair = createKeyPair();

export type CozeApp = {
  readonly coze: Coze;
  /** What a Worker needs to speak for the app. */
  readonly settings: Readonly<Record<"CLIENT_ID" | "KID" | "PRIVATE_KEY" | "TOKEN_ENDPOINT", string>>;
};

/** Builds the Worker as it is deployed, and returns the path of its script, which is removed with the resources. */
export async function buildScript(resources: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-script-"));
  resources.defer(() => rm(folder, { recursive: true }));
  const { script } = await buildWorker(folder);
  return script;
}

/** Starts a Coze emulator with one app; it is closed with the resources. */
export async function startCozeApp(resources: AsyncDisposableStack): Promise<CozeApp> {
  const emulator = resources.adopt(await startEmulator(), (server) => server.close());
  const coze = createCoze(emulator.url);
  await coze.registerApp(CLIENT_ID, [KID], keyPair.publicKey);
  return {
    coze,
    settings: { CLIENT_ID, KID, PRIVATE_KEY: keyPair.privateKey, TOKEN_ENDPOINT: coze.tokenEndpoint },
  };
}
