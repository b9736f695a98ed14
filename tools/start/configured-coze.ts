import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "../../src/config/config.ts";
import { DEFAULT_VARS_FILE } from "../lib/vars-file.ts";
import type { TokenSource } from "./token-source.ts";
import type { VarsFile } from "./vars-file.ts";

type Wrangler = typeof import("wrangler");

/** The Coze that a vars file and wrangler.toml lead to. Tokens stay cached from run to run, for each port by itself. */
export function configuredCoze({ path, name }: VarsFile, port: number): TokenSource {
  // wrangler finds the default one by itself, and takes it as it stands; in others it expands `$NAME`.
  const envFiles = name === DEFAULT_VARS_FILE ? undefined : [path];
  // To load it takes as long as wrangler takes to start, so both go on at once.
  const wrangler = import("wrangler");

  return {
    wranglerArguments: [
      ...(envFiles ?? []).map((file) => `--env-file=${file}`),
      // Two runs at once would lock each other out of one database.
      `--persist-to=${stateFolder(port)}`,
    ],
    async fileOf(setting) {
      const origin = readVars(await wrangler, envFiles)[setting]?.type;
      // Values from a vars file are secrets to wrangler.
      return origin === undefined || origin === "secret_text" ? name : "wrangler.toml";
    },
    async describe() {
      const host = await tokenHost(readVars(await wrangler, envFiles));
      return {
        origin: `Coze at ${host}, with the settings of ${name}`,
        hints: [`Edits of ${name} apply when you start again.`],
      };
    },
    close: async () => {},
  };
}

/** Deletes the tokens that runs on this port have cached. The port must be free: no other run uses them then. */
export async function forgetTokens(port: number): Promise<void> {
  await rm(stateFolder(port), { recursive: true, force: true });
}

function stateFolder(port: number): string {
  return join(".wrangler", "start", String(port));
}

/** The variables of the Worker, as `wrangler dev` puts them together. */
function readVars({ unstable_readConfig, unstable_getVarsForDev }: Wrangler, envFiles: string[] | undefined) {
  const { configPath, vars } = unstable_readConfig({}, { hideWarnings: true });
  return unstable_getVarsForDev(configPath, envFiles, vars, undefined, true);
}

/** The host of the token endpoint, or of the default one. The other settings have no part in it. */
async function tokenHost({ TOKEN_ENDPOINT }: ReturnType<typeof readVars>): Promise<string> {
  const required = { CLIENT_ID: "any", KID: "any", PRIVATE_KEY: "any" };
  const settings = await parseConfig({ ...required, TOKEN_ENDPOINT: TOKEN_ENDPOINT?.value });
  if ("issues" in settings) throw new Error("The Worker has found this TOKEN_ENDPOINT right.");
  return new URL(settings.value.tokenEndpoint).host;
}
