import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parseCallers } from "../../../src/config/parse-callers.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { createFolder, TOML } from "../doctor/folder.ts";
import { ROOT } from "../examples/service.ts";

const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, ["tools/keygen/main.ts", ...args]);

describe("npm run keygen", () => {
  it("shows a new key each time, and the caller that authenticates it", async () => {
    const outputs = [(await run("nightly-report")).stdout, (await run("nightly-report")).stdout];
    const keys = outputs.map((output) => /^ {2}(ctw_[\w-]{43})$/m.exec(output)?.[1] ?? "");
    expect(new Set(keys).size).toBe(2);

    for (const [index, output] of outputs.entries()) {
      const digest = /key_sha256 = "([0-9a-f]{64})"/.exec(output)?.[1];
      expect(digest).toBe(sha256Hex(keys[index] ?? ""));
      expect(output).toContain('[[vars.CALLERS]]\n  name = "nightly-report"');
      expect(parseCallers([{ name: "nightly-report", key_sha256: digest }])).toHaveProperty("value");
    }
  });

  it.each([[[]], [["two", "names"]], [["a name with spaces"]], [["-"]], [["x".repeat(65)]]])(
    "refuses the arguments %j of npm run keygen with a sentence and its help",
    async (args) => {
      const { stderr, code } = await run(...args).then(
        () => ({ stderr: "", code: 0 }),
        (error: { stderr: string; code: number }) => error,
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: /);
      expect(stderr).toContain("Usage: npm run keygen -- [options] <name>");
    },
  );

  it("prints the table of the environment that the caller is for", async () => {
    expect((await run("--env", "production", "nightly-report")).stdout).toContain(
      '[[env.production.vars.CALLERS]]\n  name = "nightly-report"',
    );
  });

  const caller = (name: string, more = "", table = "vars") =>
    `[[${table}.CALLERS]]\nname = "${name}"\n${more || `key_sha256 = "${sha256Hex(name)}"`}\n`;
  const rights = `key_sha256 = "${sha256Hex("report")}"\npermissions = ["Connector.botChat"]\nbot_ids = ["7"]\nmax_duration = 60`;

  it.each([
    ["the top level", "report", "report-2"],
    ["the top level", "other-2", "other-3"],
    ["production", "report", "report-3"],
  ])("prints with --rotate a caller that works beside the old one: in %s, %s gets %s", async (place, name, next) => {
    const env = place === "production" ? place : undefined;
    const table = env === undefined ? "vars" : `env.${env}.vars`;
    const others = env === undefined ? ["other-2"] : ["report-2"];
    const toml = [TOML, caller("report", rights, table), ...others.map((other) => caller(other, "", table))].join("\n");
    const folder = createFolder({ "wrangler.toml": toml });
    const { stdout } = await runIn(folder, "--rotate", name, ...(env === undefined ? [] : ["--env", env]));
    const key = /^ {2}(ctw_[\w-]{43})$/m.exec(stdout)?.[1] ?? "";
    const block = /^ {2}\[\[.*?\n\n/ms.exec(stdout)?.[0] ?? "";

    const pasted = readProject(createFolder({ "wrangler.toml": `${toml}\n${block}` }), env).deployed["CALLERS"];
    const callers = pasted as readonly { readonly name: string }[]; // checked by the next line
    expect(parseCallers(callers)).toHaveProperty("value");
    const old = callers.find((caller) => caller.name === name);
    expect(callers.at(-1)).toEqual({ ...old, name: next, key_sha256: sha256Hex(key) });
  });

  it("prints with --rotate JSON to paste where CALLERS is JSON", async () => {
    const report = { name: "report", key_sha256: sha256Hex("report"), max_duration: 60 };
    const toml = (...callers: readonly object[]) => `${TOML}[vars]\nCALLERS = '${JSON.stringify(callers)}'\n`;
    const { stdout } = await runIn(createFolder({ "wrangler.toml": toml(report) }), "--rotate", "report");
    expect(stdout).not.toContain("[[");
    const pasted = JSON.parse(/^ {2}(\{.*\})$/m.exec(stdout)?.[1] ?? "");
    const key = /^ {2}(ctw_[\w-]{43})$/m.exec(stdout)?.[1] ?? "";
    expect(pasted).toEqual({ ...report, name: "report-2", key_sha256: sha256Hex(key) });
  });

  it.each([
    ["nobody", /^wrangler.toml has no caller nobody. It has: report, users\n$/],
    ["users", /^The caller users has no API key/],
  ])("does not rotate the key of %s, who has none", async (name, message) => {
    const users = caller("users", 'issuer = "https://login.example.com"\naudience = "app"');
    const folder = createFolder({ "wrangler.toml": `${TOML}${caller("report")}${users}` });
    await expect(runIn(folder, "--rotate", name)).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(message),
    });
  });
});

const runIn = (cwd: string, ...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, "tools/keygen/main.ts"), ...args], { cwd });
