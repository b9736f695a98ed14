import { createCoze } from "../emulator/client.ts";
import { startEmulator } from "../emulator/server.ts";
import type { Bench } from "./bench.ts";
import { CLIENT_ID, KID } from "./worker-under-test.ts";

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
