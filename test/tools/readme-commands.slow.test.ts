import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { commandsIn, readCode, readPage } from "../support/readme-snippets.ts";
import { ROOT, startService } from "./examples/service.ts";
import { findFreePort } from "./start/processes.ts";
import { createProject, type Project } from "./start/project.ts";
import { runService } from "./start/service.ts";

/** Packages come from the network. This compares the lock file with package.json, in a folder of its own, as `npm ci` does. */
const NPM_CI_OFFLINE = `npm() {
  if [ "$*" != ci ]; then command npm "$@"; return; fi
  mkdir ../lock
  cp package.json package-lock.json ../lock
  (cd ../lock && command npm ci --dry-run --offline)
}
`;

/** What each way to start prints, at the latest after a request. */
const STARTED: Readonly<Record<string, RegExp>> = {
  "npm start -- --fresh": /Ready\..* {2}POST \/ {2}200 {2}miss/s,
  "npm start -- --emulator": /hands out tokens of a Coze emulator/,
  "npm start -- --json": /^\{"level":"info","event":"token_request"/m,
  "npm start -- --callers callers.json": /The callers are those of callers\.json/,
};

const commands = commandsIn(await readPage());
const starts = commands.filter((command) => command.startsWith("npm start -- ") && !command.endsWith("--help"));
const environments = commands
  .filter((command) => command.startsWith("--env "))
  .map((env) => `npm run deploy -- ${env}`);
const deployments = [...commands.filter((command) => command.startsWith("npm run deploy")), ...environments].map(
  dryRun,
);

describe("the commands of README.md in a terminal", () => {
  it("starts the service with the lines of Try it, and prints the log that README.md shows", async () => {
    const [[start, curl = ""], [log]] = await Promise.all([readCode("Try it", "sh"), readCode("Try it", "text")]);
    using project = createProject({ "package-lock.json": readFileSync(join(ROOT, "package-lock.json"), "utf8") });
    await using service = await startInShell(project, NPM_CI_OFFLINE + start);

    const lines = curl.replaceAll("http://127.0.0.1:8787/", service.url);
    for (let times = 0; times < 2; times += 1) {
      const { stdout } = await promisify(execFile)("bash", ["-euc", lines]);
      expect(JSON.parse(stdout)).toMatchObject({ access_token: expect.stringMatching(/^czs_/), token_type: "Bearer" });
    }
    await fetch(`${service.url}x`, { method: "POST" });
    await service.says("not_found");
    const printed = service.output().split("Stop: Ctrl-C\n\n")[1] ?? "";
    expect(withoutTimes(printed)).toBe(withoutTimes(log));
  });

  it.each(starts)("starts the service with a command of README.md: %s", async (command) => {
    const shown = STARTED[command];
    if (shown === undefined) throw new Error(`STARTED does not have ${command}.`);
    using project = createProject({
      "callers.json": '[{"name":"visitors","anonymous":true}]',
      ...(command.includes("--emulator") && { ".dev.vars": "KID=wrong\n" }),
    });
    await using service = await startInShell(project, command);
    await fetch(service.url, { method: "POST" });
    await service.says(shown);
  });

  it("explains npm start with the command of README.md", async () => {
    using project = createProject();
    const command = commands.find((each) => each.endsWith(" --help")) ?? "";
    expect(await runLines(project, command)).toMatch(/Usage: npm start -- .*--port <number>/s);
  });

  it("builds with the command of README.md what a page loads", async () => {
    using project = createProject();
    await runLines(project, commands.find((command) => command === "npm run build") ?? "");
    expect(existsSync(join(project.root, "dist/assets/client.js"))).toBe(true);
  });

  it.each([...new Set(deployments)])(
    "deploys with a command of README.md as far as it goes without an account: %s",
    async (command) => {
      using project = createProject();
      expect(await runLines(project, command)).toContain("--dry-run: exiting now.");
    },
  );

  it("deploys by hand as README.md says, up to where Cloudflare wants an account", async () => {
    const readme = await readPage();
    const [, list = ""] = /In wrangler\.toml, uncomment (`.+?), and fill in/.exec(readme) ?? [];
    const names = Array.from(list.matchAll(/`(.+?)`/g), ([, name = ""]) => name);
    using project = createProject({ "private_key.pem": createKeyPair().privateKey });
    const path = join(project.root, "wrangler.toml");
    writeFileSync(path, names.reduce(uncomment, readFileSync(path, "utf8")));

    const [, byHand = ""] = await readCode("Deploy", "sh");
    const [putSecret = "", deploy = ""] = byHand.split("\n");
    const printed = await runLines(project, dryRun(deploy));
    expect(printed).toMatch(/env\.CLIENT_ID .*env\.KID .*--dry-run: exiting now\./s);
    await expect(runLines(project, putSecret)).rejects.toMatchObject({
      stderr: expect.stringMatching(/necessary to set a CLOUDFLARE_API_TOKEN/),
    });
  });

  it("checks a deployed service with the commands of README.md", async () => {
    await using service = await startService();
    using project = createProject();
    const [, , checks = ""] = await readCode("Deploy", "sh");
    const lines = checks.replaceAll(/https:\/\/\S+\.workers\.dev\/?/g, service.tokenUrl);
    const printed = await runLines(project, lines.replaceAll("//health", "/health"));
    expect(printed).toMatch(/│ ok +│ health .*"status":"ok".*"access_token":"czs_/s);
  });
});

/** The command, so that it deploys nothing. */
function dryRun(command: string): string {
  if (command.endsWith("--dry-run")) return command;
  return `${command}${command.includes(" -- ") ? "" : " --"} --dry-run`;
}

/** Removes the mark before the first line that begins with a table or a variable. */
function uncomment(toml: string, name: string): string {
  return toml.replace(`\n# ${name}`, `\n${name}`);
}

/** Every digit of a time of day or a duration as 0. */
function withoutTimes(log: string): string {
  return log.replaceAll(/\d\d:\d\d:\d\d/g, "00:00:00").replaceAll(/\d+ ms/g, "0 ms");
}

async function runLines({ root, home }: Project, lines: string): Promise<string> {
  const account = Object.keys(process.env).filter((name) => /^(CLOUDFLARE|CF)_/.test(name));
  const env = { ...process.env, ...Object.fromEntries(account.map((name) => [name, undefined])), HOME: home };
  const { stdout } = await promisify(execFile)("bash", ["-euc", lines], { cwd: root, env });
  return stdout;
}

/** Runs lines that start the service, until it is ready. Disposing of it stops all that they started, as Ctrl-C does. */
async function startInShell(project: Project, lines: string) {
  const port = await findFreePort();
  const service = runService(project, { command: ["bash", "-euc", lines], env: { PORT: String(port) } });
  const stop = async () => {
    const { exitCode, signalCode } = service.child;
    if (exitCode === null && signalCode === null) service.signal("SIGINT");
    await service.ended;
  };
  await service.says("Ctrl-C").catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { ...service, url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: stop };
}
