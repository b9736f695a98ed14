import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { Hono } from "hono";
import { expect, onTestFinished } from "vitest";
import { createTestHarness } from "wrangler";
import { createCoze } from "../../../tools/emulator/client.ts";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { SHIPPED_TOML_PATH } from "../../support/shipped-toml.ts";
import { serve } from "../../support/stand-in-server.ts";

const CLIENT_ID = "1127896425345";
const KID = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE";

export const ROOT = join(import.meta.dirname, "../../..");

export type ExampleService = Awaited<ReturnType<typeof startService>>;

/**
 * The Worker as `npm start` has it, with these callers and settings, and an emulator. `tokenUrl` ends in a slash,
 * `cozeApi` does not.
 */
export async function startService(callers?: readonly object[], settings: Readonly<Record<string, string>> = {}) {
  const { publicKey, privateKey } = createKeyPair();
  const emulator = await startEmulator();
  const coze = createCoze(emulator.url);
  await coze.registerApp(CLIENT_ID, [KID], publicKey);

  const vars = {
    CLIENT_ID,
    KID,
    TOKEN_ENDPOINT: coze.tokenEndpoint,
    ...(callers && { CALLERS: JSON.stringify(callers) }),
    ...settings,
  };
  const worker = { configPath: SHIPPED_TOML_PATH, vars, secrets: { PRIVATE_KEY: privateKey } };
  const harness = createTestHarness({ workers: [worker] });
  const { url } = await harness.listen();

  return {
    tokenUrl: url.href,
    cozeApi: emulator.url,
    coze,
    async [Symbol.asyncDispose]() {
      await harness.close();
      await emulator.close();
    },
  };
}

/** What a program has printed, how it ended, and the arguments with which it called curl, jq and sed, one a line. */
export type Run = { readonly code: number; readonly stdout: string; readonly stderr: string; readonly args: string };

/** Runs a program in the repository, with these variables. */
export async function run(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  const [file = "", ...words] = command;
  const folder = mkdtempSync(join(tmpdir(), "examples-test-"));
  const log = join(folder, "args");
  writeFileSync(log, "");
  for (const name of ["curl", "jq", "sed"]) writeSpy(join(folder, name), log);

  const child = spawn(file, words, {
    cwd: ROOT,
    env: { ...process.env, PATH: folder + delimiter + process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const args = readFileSync(log, "utf8");
  rmSync(folder, { recursive: true });
  return { code, stdout, stderr, args };
}

type Scripted = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, any other value as JSON. */
  readonly body: object | string;
};

/** A server that responds to one request after the other as told, until the test ends. */
export async function startStandIn(script: readonly Scripted[]) {
  const requests: string[] = [];
  const app = new Hono().all("*", (c) => {
    const { status = 500, headers = {}, body = {} } = script[requests.length] ?? {};
    requests.push(c.req.path);
    return typeof body === "string"
      ? new Response(body, { status, headers })
      : Response.json(body, { status, headers });
  });
  const server = await serve(app);
  onTestFinished(server.close);
  return { url: server.url, requests };
}

/** What a server that is no token service sends with status 200. */
export const BODIES_WITHOUT_TOKEN = [
  "<html>parked</html>",
  "",
  '{"ok":true}',
  '{"access_token":null,"expires_in":2000000000}',
  '{"access_token":"czs_a\\nsecond: line","expires_in":2000000000}',
];

/** Checks that no token and no key of the run was in the arguments of a command: everybody on a machine can read those. */
export function expectNoSecretIn(args: Run["args"], ...secrets: readonly string[]): void {
  expect(args).toContain("--silent");
  for (const secret of ["czs_", "eyJ", ...secrets]) expect(args).not.toContain(secret);
}

/** A program that notes its arguments, and then runs the real one of the same name. */
function writeSpy(path: string, log: string): void {
  writeFileSync(
    path,
    `#!/bin/sh\nprintf '%s\\n' "$@" >>'${log}'\nPATH=\${PATH#*${delimiter}}\nexec "\${0##*/}" "$@"\n`,
  );
  chmodSync(path, 0o700);
}
