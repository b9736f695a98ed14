import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { RunWrangler } from "../../../tools/deploy/run-wrangler.ts";
import { type Coze, createCoze } from "../../../tools/emulator/client.ts";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { tryExchange } from "../../../tools/lib/try-exchange.ts";
import { readCommandLine } from "../../../tools/rotate/command-line.ts";
import type { RotatePorts } from "../../../tools/rotate/context.ts";
import { rotate } from "../../../tools/rotate/rotate.ts";
import { buildScript } from "../../support/deployed-worker.ts";
import { createFolder, TOML, varsFile } from "../doctor/folder.ts";
import { startCloudflare } from "./cloudflare.ts";

export const OLD = { kid: "the-old-key", ...createKeyPair() };
export const NEW = { kid: "the-new-key", ...createKeyPair() };
export const START = Date.parse("2026-11-21T08:00:00Z");
export const NEW_PAIR = ["--key-file", "new.pem", "--kid", NEW.kid, "--yes"];
export const STATE = ".wrangler/rotate.json";

type Setting = { readonly vars?: object; readonly env?: string; readonly toml?: (vars: string) => string };

/** Prepares, for a file of tests, the maker of services with an old key, whose app at Coze has a new one too. */
export function prepareServices() {
  const resources = new AsyncDisposableStack();
  let script: string;
  let coze: Coze;
  let apps = 0;

  beforeAll(async () => {
    script = await buildScript(resources);
    const emulator = resources.adopt(await startEmulator(), (server) => server.close());
    coze = createCoze(emulator.url);
  });
  afterAll(() => resources.disposeAsync());

  return async function createService({ vars = {}, env, toml = (text) => text }: Setting = {}) {
    apps += 1;
    const clientId = `app-${apps}`;
    await coze.registerApp(clientId, [OLD.kid], OLD.publicKey);
    await coze.addKey(clientId, NEW.kid, NEW.publicKey);
    const table = [
      `[${env === undefined ? "" : `env.${env}.`}vars]`,
      `CLIENT_ID = "${clientId}"`,
      `KID = "${OLD.kid}" # of this month`,
      `TOKEN_ENDPOINT = "${coze.tokenEndpoint}"`,
    ].join("\n");
    const folder = createFolder({
      "wrangler.toml": `${TOML}${toml(table)}\n`,
      ".dev.vars": varsFile({ PRIVATE_KEY: OLD.privateKey, ...vars }),
      "new.pem": NEW.privateKey,
      "old.pem": OLD.privateKey,
    });
    const cloudflare = await startCloudflare(folder, script, env);
    onTestFinished(cloudflare.close);
    const said: string[] = [];
    const read = (name: string) => readFileSync(join(folder, name), "utf8");

    return {
      folder,
      cloudflare,
      /** wrangler, of which no removal of secrets comes through. */
      onlyDeploys: (async (args, isQuiet) =>
        args[0] === "secret"
          ? { code: 1, output: "no network", targets: [] }
          : cloudflare.runWrangler(args, isQuiet)) satisfies RunWrangler,
      removeKey: (kid: string) => coze.removeKey(clientId, kid),
      addNewKey: () => coze.addKey(clientId, NEW.kid, NEW.publicKey),
      /** All that was said so far. */
      output: () => said.join("\n"),
      read,
      edit: (name: string, change: (text: string) => string) => writeFileSync(join(folder, name), change(read(name))),
      state: () => JSON.parse(read(STATE)),
      has: (name: string) => existsSync(join(folder, name)),
      /** `npm run rotate --` without a terminal. */
      run(args: readonly string[], ports: Partial<RotatePorts> = {}) {
        const words = args.map((word) => (/\.pem$/.test(word) ? join(folder, word) : word));
        const { options, env } = readCommandLine(words);
        const defaults: RotatePorts = {
          prompter: undefined,
          say: (text) => said.push(text),
          runWrangler: cloudflare.runWrangler,
          tryExchange,
          keyFile: undefined,
          credential: undefined,
          width: 120,
          pauseMs: 10,
          now: () => START,
        };
        return rotate({ root: folder, env, options, ports: { ...defaults, ...ports } });
      },
    };
  };
}
