import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "./examples/service.ts";

const ENTRY = join("tools", "run.js");
const COMMANDS = ["start", "setup", "doctor", "deploy", "rotate", "keygen", "audit", "emulator", "simulate"];

const SOURCE = readFileSync(join(ROOT, ENTRY), "utf8");

/** Makes this Node.js say that it is an older one. */
const NODE_20 =
  '--import=data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.9.0"}})';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "run-test-"));
  for (const path of [ENTRY, "package.json", ".npmrc"]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path));
  }
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Installs the dependencies, and a command that prints what it is given. */
function install(command: string): void {
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "tools", command));
  writeFileSync(join(folder, "tools", command, "main.ts"), "console.log(JSON.stringify(process.argv.slice(2)));");
}

function run(...command: readonly string[]) {
  const [file = "", ...args] = command;
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("a command", () => {
  it.each(COMMANDS)("tells in one sentence that npm ci has not run: %s", (command) => {
    const refused = {
      status: 1,
      stdout: "",
      stderr: "The dependencies are not installed: run `npm ci` first.\n",
    };
    expect(run(process.execPath, ENTRY, command)).toEqual(refused);
    expect(run(process.execPath, NODE_20, ENTRY, command)).toEqual(refused);
  });

  it("tells in one sentence that npm ci has not installed Node.js 24", () => {
    install("start");
    expect(run(process.execPath, NODE_20, ENTRY, "start")).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "This is Node.js 20.9.0, not the Node.js 24 that comes with the dependencies: run `npm ci` again, without --ignore-scripts.\n",
    });
  });

  it.each([
    ["run deploy --dry-run", "npm run deploy -- --dry-run"],
    ["run deploy --env production --dry-run", "npm run deploy -- --env ..."],
    ["run keygen --rotate nightly", "npm run keygen -- --rotate ..."],
    ["run setup --no-exchange", "npm run setup -- --no-exchange"],
    ["run rotate --no-old-key", "npm run rotate -- --no-old-key"],
    ["run doctor --live", "npm run doctor -- --live"],
    ["run deploy --dryrun", "npm run deploy -- --dryrun"],
    ["start --port 8790", "npm start -- --port ..."],
  ])("does not run without the options that npm has taken: npm %s", (line, advice) => {
    install(line.split(" ")[1] ?? "");
    const { status, stdout, stderr } = run("npm", ...line.split(" "));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^npm has taken --.* for itself\. /m);
    expect(stderr).toContain(`Write the options after --: ${advice}\n`);
    expect(stdout).not.toContain("[");
  });

  it("passes on the options after --, whatever npm has taken", () => {
    install("deploy");
    const { status, stdout } = run("npm", "run", "--silent", "--yes", "deploy", "--", "--dry-run", "--env=a");
    expect(stdout).toBe('["--dry-run","--env=a"]\n');
    expect(status).toBe(0);
  });
});

/** npm's own as well. */
const NOT_TAKEN = ["access", "help", "json", "verbose", "yes"];

it.each(COMMANDS)("lists in tools/run.js every option of %s that npm could take", (command) => {
  const words = command === "audit" ? [[], ["user"]] : [[]];
  const help = words
    .map((more) => run(process.execPath, join(ROOT, ENTRY), command, ...more, "--help").stdout)
    .join("");
  const options = [...help.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, name = ""]) => name);
  const listed = new RegExp(`^ {2}${command}:\\s+([^:]*?),$`, "m").exec(SOURCE)?.[1]?.match(/[a-z-]+/g) ?? [];
  expect(options.length).toBeGreaterThan(1);
  expect(listed).toEqual(expect.arrayContaining(options.filter((name) => !NOT_TAKEN.includes(name))));
});
