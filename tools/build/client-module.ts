import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundleScript } from "./bundle-script.ts";

const CLIENT = join(import.meta.dirname, "../../src/client");

/** The module behind `/client.js`, and its types behind `/client.d.ts`. */
export type ClientModule = { readonly script: string; readonly types: string };

/**
 * Builds the client module from src/client.
 * @throws Error with the message of the bundler or the compiler.
 */
export async function buildClientModule(): Promise<ClientModule> {
  const [script, types] = await Promise.all([bundleScript(join(CLIENT, "client.ts"), "esm"), declareTypes()]);
  return { script, types };
}

/** The declarations of the entry module. It declares all that it exports, so they stand alone. */
async function declareTypes(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-build-"));
  try {
    const compile = ["-p", CLIENT, "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", folder];
    await promisify(execFile)("tsc", compile).catch(({ stdout }: { readonly stdout: string }) => {
      throw new Error(stdout);
    });
    return await readFile(join(folder, "client.d.ts"), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}
