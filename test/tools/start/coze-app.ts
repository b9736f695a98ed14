import { type RunningEmulator, startEmulator } from "../../../tools/emulator/server.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";

const TOKEN_PATH = "/api/permission/oauth2/token";

/** Of the one OAuth app that vars files are written for. */
export const keyPair = createKeyPair();

/** Starts what the real Coze is to the Worker: an endpoint that somebody else runs, and that knows the app. */
export async function startCoze(): Promise<RunningEmulator & { readonly tokenEndpoint: string }> {
  const coze = await startEmulator();
  await fetch(`${coze.url}/emulator/apps`, {
    method: "POST",
    body: JSON.stringify({ client_id: "7", keys: [{ kid: "of-7", public_key: keyPair.publicKey }] }),
  });
  return { ...coze, tokenEndpoint: `${coze.url}${TOKEN_PATH}` };
}

/** A vars file with the app's settings, and some of them replaced or added. */
export function vars(settings: Readonly<Record<string, string>>): string {
  return Object.entries({ CLIENT_ID: "7", KID: "of-7", PRIVATE_KEY: keyPair.privateKey, ...settings })
    .map(([name, value]) => `${name}="${value}"\n`)
    .join("");
}
