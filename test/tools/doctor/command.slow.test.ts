import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { ROOT } from "../examples/service.ts";
import { openTerminal } from "../setup/pseudo-terminal.ts";
import { createFolder } from "./folder.ts";

const PROGRAM = join(ROOT, "tools/doctor/main.ts");

async function run(folder: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { stdout, stderr, code };
}

describe("npm run doctor", () => {
  it("prints one table as wide as the terminal, and exits with 0 when nothing needs fixing", async () => {
    const { output, code } = await openTerminal(createFolder(), PROGRAM).ended;
    expect(output).toMatch(/│ ok {3}│ settings/);
    expect(output).toMatch(/│ note │ access/);
    expect(output.split("\n")[0]?.trim()).toHaveLength(199);
    expect(code).toBe(0);
  });

  it("prints every finding as JSON, and exits with 1 when one needs fixing", async () => {
    const { stdout, code } = await run(createFolder({ ".gitignore": "" }), "--json");
    const findings: readonly object[] = JSON.parse(stdout);
    for (const finding of findings) expect(Object.keys(finding)).toEqual(["name", "ok", "detail", "hint"]);
    expect(findings).toContainEqual(expect.objectContaining({ name: ".gitignore", ok: false }));
    expect(code).toBe(1);
  });

  it("exits with 2 and a sentence when wrangler.toml has no such environment", async () => {
    const { stderr, code } = await run(createFolder(), "--env", "nowhere");
    expect(stderr).toMatch(/^wrangler.toml has no environment nowhere/);
    expect(code).toBe(2);
  });

  it("does not try an exchange while a setting is wrong", async () => {
    const { stdout, code } = await run(createFolder({ ".dev.vars": "" }), "--live", "--json");
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ name: "exchange", detail: expect.stringMatching(/not tried/) }),
    );
    expect(code).toBe(1);
  });

  it("checks a deployed service from anywhere, and refuses what is no URL", async () => {
    const { stdout, code } = await run(createFolder(), "--url", "https://nowhere.invalid", "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ name: "service: DNS", ok: false }]);
    expect(code).toBe(1);
    expect((await run(createFolder(), "--url", "token.example.com")).stderr).toMatch(/complete URL/);
  });
});
