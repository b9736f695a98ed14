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
  const control = async (path: string, body?: object): Promise<unknown> => {
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(`${emulator.url}/emulator${path}`, body && init);
    if (!response.ok) throw new Error(`The emulator answered ${response.status} at ${path}.`);
    return response.json();
  };

  await control("/apps", { client_id: CLIENT_ID, keys: [{ kid: KID, public_key: keyPair.publicKey }] });
  if (firstDelayMs > 0) await control("/faults", { delay_ms: firstDelayMs });
  return {
    tokenEndpoint: `${emulator.url}/api/permission/oauth2/token`,
    async exchanges() {
      const { exchanges } = (await control("/exchanges")) as { exchanges: unknown[] }; // its documented shape
      return exchanges.length;
    },
    close: () => emulator.close(),
  };
}
