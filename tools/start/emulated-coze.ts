import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, exportPKCS8, exportSPKI, generateKeyPair } from "jose";
import { type RunningEmulator, startEmulator } from "../emulator/server.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { varsLine } from "../lib/vars-file.ts";
import { type Port, portFailure } from "./ports.ts";
import type { TokenSource } from "./token-source.ts";

/** Coze numbers its OAuth apps. The emulator knows this one only. */
const CLIENT_ID = "1000000000000000001";
const AUDIENCE = "api.coze.cn";

/** Where the examples expect the emulator. The one of `npm run emulator` has it too, or another `npm start`. */
const USUAL_PORT = 4000;

/**
 * Starts a Coze emulator in this process and registers an app whose key pair is as young as the emulator is. The private
 * key is in one temporary file, for the Worker to read.
 * @param port 4000 when left out, or a free one where that is taken.
 * @throws Failure when the port is taken.
 */
export async function startEmulatedCoze(port: Port | undefined): Promise<TokenSource> {
  const { path: folder } = createPrivateFolder("start");
  const [emulator, { publicKey, privateKey }] = await Promise.all([
    startOn(port),
    generateKeyPair("RS256", { extractable: true }),
  ]);
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  await registerApp(emulator.url, { kid, public_key: await exportSPKI(publicKey) });

  const varsFile = join(folder, "vars");
  writeVars(varsFile, {
    CLIENT_ID,
    KID: kid,
    PRIVATE_KEY: await exportPKCS8(privateKey),
    TOKEN_ENDPOINT: `${emulator.url}/api/permission/oauth2/token`,
    AUDIENCE,
    SERVER_TIMING: "true",
  });
  return {
    // Tokens that an earlier emulator has issued are of no use to this one.
    wranglerArguments: ["--env-file", varsFile, "--persist-to", join(folder, "state")],
    // All others are the ones above.
    fileOf: async () => "wrangler.toml",
    describe: async () => ({
      origin: `a Coze emulator (${emulator.url})`,
      hints: [
        `See what reached the emulator: curl ${emulator.url}/emulator/exchanges`,
        "Use the real Coze: put your settings into .dev.vars, as .dev.vars.example shows, and start again.",
      ],
    }),
    close: emulator.close,
  };
}

async function startOn(port: Port | undefined): Promise<RunningEmulator> {
  if (port === undefined) return startEmulator({ port: USUAL_PORT }).catch(() => startEmulator());
  return startEmulator({ port: port.number }).catch((error: NodeJS.ErrnoException) => {
    throw portFailure(port, error);
  });
}

async function registerApp(emulator: string, key: { readonly kid: string; readonly public_key: string }) {
  const response = await fetch(`${emulator}/emulator/apps`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_id: CLIENT_ID, name: "npm start", audience: AUDIENCE, keys: [key] }),
  });
  if (!response.ok) throw new Error(`The emulator did not take the app: ${await response.text()}`);
}

function writeVars(path: string, vars: Readonly<Record<string, string>>): void {
  const lines = Object.entries(vars).map(([name, value]) => `${varsLine(name, value)}\n`);
  writeFileSync(path, lines.join(""), { mode: 0o600 });
}
