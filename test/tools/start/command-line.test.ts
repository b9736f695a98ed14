import { afterAll, describe, expect, it } from "vitest";
import { createProject } from "./project.ts";
import { runService } from "./service.ts";

describe("the command line", () => {
  const project = createProject();
  afterAll(() => project[Symbol.dispose]());

  it("explains npm start with --help", async () => {
    const { code, stdout, stderr } = await runService(project, { args: ["--help"] }).ended;

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: npm start -- \[options\]\n/);
    expect(stdout).toMatch(
      /--port <number> .*8787.*PORT.*--emulator-port <number> .*EMULATOR_PORT.*--vars-file <path>.*--emulator .*--callers <path>.*--fresh.*--json/s,
    );
    expect(stdout).toContain("  npm start -- --port 8790\n");
  });

  it.each([
    ["--port", "0"],
    ["--port", "65536"],
    ["--port", "80a"],
    ["--port", "-1"],
    ["--port", "8787.5"],
    ["--emulator-port", "none"],
  ])("refuses the option %s %s of npm start", async (option, value) => {
    const { code, stdout, stderr } = await runService(project, { args: [`${option}=${value}`] }).ended;

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `error: option '${option} <number>' argument '${value}' is invalid. A port is a whole number from 1 to 65535.
npm start -- --help lists the options.
`,
    );
  });

  it.each(["PORT", "EMULATOR_PORT"])("refuses an invalid %s in the environment of npm start", async (variable) => {
    const { code, stdout, stderr } = await runService(project, { env: { [variable]: "http" } }).ended;

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(
      `value 'http' from env '${variable}' is invalid. A port is a whole number from 1 to 65535.`,
    );
  });

  it.each([
    [["--prot", "8790"], "error: unknown option '--prot'\n(Did you mean --port?)"],
    [["8790"], "error: too many arguments. Expected 0 arguments but got 1: 8790."],
    [["--port"], "error: option '--port <number>' argument missing"],
    [["--emulator", "--vars-file=a"], "error: option '--emulator' cannot be used with option '--vars-file <path>'"],
    [["--port=8790", "--emulator-port=8790"], "error: the Worker and the emulator cannot both have port 8790"],
  ])("refuses the arguments %j of npm start", async (args, message) => {
    expect(await runService(project, { args }).ended).toEqual({
      code: 1,
      stdout: "",
      stderr: `${message}\nnpm start -- --help lists the options.\n`,
    });
  });
});
