import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { createCoze } from "../../../tools/emulator/client.ts";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { varsFile } from "../doctor/folder.ts";
import { startHangingCloudflare } from "../setup/hanging-cloudflare.ts";
import { CTRL_C, ENTER, openTerminal } from "../setup/pseudo-terminal.ts";
import { createProject, wranglerToml } from "../start/project.ts";

const OLD = { kid: "the-old-key", ...createKeyPair() };
const NEW = { kid: "the-new-key", ...createKeyPair() };

it("asks for the new pair in a terminal, lets a KID be corrected, and after Ctrl-C in the deployment goes on and has left no secrets behind", async () => {
  const emulator = await startEmulator();
  onTestFinished(emulator.close);
  const coze = createCoze(emulator.url);
  await coze.registerApp("1127", [OLD.kid], OLD.publicKey);
  await coze.addKey("1127", NEW.kid, NEW.publicKey);

  using project = createProject({
    "wrangler.toml": wranglerToml({ CLIENT_ID: "1127", KID: OLD.kid, TOKEN_ENDPOINT: coze.tokenEndpoint }),
    ".dev.vars": varsFile({ PRIVATE_KEY: OLD.privateKey }),
    ".gitignore": ".dev.vars\n.dev.vars.*\n",
    "private_key.pem": OLD.privateKey,
    "private_key (1).pem": NEW.privateKey,
  });
  const state = () => JSON.parse(readFileSync(join(project.root, ".wrangler/rotate.json"), "utf8"));
  const cloudflare = await startHangingCloudflare();
  const open = () =>
    openTerminal(project.root, join(project.root, "tools/rotate/main.ts"), [], {
      HOME: project.home,
      TMPDIR: project.temp,
      ...cloudflare.env,
    });

  const terminal = open();
  await terminal.shows("The new private key that Coze offered");
  terminal.type(`private_key.pem${ENTER}`);
  await terminal.shows("That does not work: it is the key that is in use now.");
  await terminal.shows("The new private key that Coze offered");
  terminal.type(`private_key (1).pem${ENTER}`);
  await terminal.shows("SHA-256 of its public key (SPKI): ");
  await terminal.shows("KID: the fingerprint");
  terminal.type(`mistyped${ENTER}`);
  await terminal.shows("Coze may take some seconds to know a new key. Trying again in 5 s");
  await terminal.shows("Press Enter to go on waiting, or type the right one");
  terminal.type(`${NEW.kid}${ENTER}`);
  await terminal.shows("has issued a token for the new key");
  await terminal.shows("Write the files, and deploy?");
  terminal.type(ENTER);
  await cloudflare.isAsked;
  expect(project.foldersLeft()).toContainEqual(expect.stringMatching(/secrets/));
  terminal.type(CTRL_C);
  const { code, output } = await terminal.ended;
  expect(output).not.toContain("BEGIN");
  expect(code).toBe(130);
  expect(project.foldersLeft()).toEqual([]);
  expect(state()).toMatchObject({ step: "deploy", newKid: NEW.kid });

  const again = open();
  await again.shows(`Going on with the rotation from ${OLD.kid} to ${NEW.kid}`);
  await again.shows("Deploy?");
  again.type(CTRL_C);
  expect(await again.ended).toMatchObject({
    code: 130,
    output: expect.stringContaining("What is done is recorded: npm run rotate goes on."),
  });
  expect(state()).toMatchObject({ step: "deploy", newKid: NEW.kid });
});

it("says that nothing was done on Ctrl-C at the first question", async () => {
  using project = createProject({
    "wrangler.toml": wranglerToml({ CLIENT_ID: "1127", KID: OLD.kid }),
    ".dev.vars": varsFile({ PRIVATE_KEY: OLD.privateKey }),
  });
  const terminal = openTerminal(project.root, join(project.root, "tools/rotate/main.ts"), ["--dry-run"], {
    HOME: project.home,
  });
  await terminal.shows("The new private key that Coze offered");
  terminal.type(CTRL_C);
  expect(await terminal.ended).toMatchObject({
    code: 130,
    output: expect.stringContaining("Interrupted: nothing was done."),
  });
});

it.each([
  [["--help"], 0, /it goes on where it was/],
  [["--json"], 1, /Missing options: --key-file, --kid, --old-kid, --old-key-file \(or --no-old-key\), --yes\n$/],
  [["--url", "token.example.com"], 1, /It must be a complete URL/],
])("ends npm run rotate -- %j at once without a terminal", async (args, code, shown) => {
  using project = createProject({ "wrangler.toml": wranglerToml({ CLIENT_ID: "1127" }) });
  const run = promisify(execFile)(process.execPath, ["tools/rotate/main.ts", ...args], {
    cwd: project.root,
    env: { ...process.env, HOME: project.home },
  });
  const ended = await run.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
  expect(ended.code).toBe(code);
  expect(ended.output.replace(/\n */g, (space) => (code === 0 ? " " : space))).toMatch(shown);
});
