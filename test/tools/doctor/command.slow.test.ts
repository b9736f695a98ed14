import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { serveOnLoopback } from "../../../tools/lib/loopback-server.ts";
import { ROOT } from "../examples/service.ts";
import { openTerminal } from "../setup/pseudo-terminal.ts";
import { createFolder, KID, TOML, VARS, varsFile } from "./folder.ts";

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

  it.each([
    ["a setting is wrong", ""],
    ["the token endpoint is no endpoint", `${VARS}TOKEN_ENDPOINT=https://api.coze.cn\n`],
  ])("does not try an exchange while %s", async (_what, vars) => {
    const { stdout, code } = await run(createFolder({ ".dev.vars": vars }), "--bot-id", "7379", "--json");
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ name: "exchange", detail: expect.stringMatching(/not tried/) }),
    );
    expect(code).toBe(1);
  });

  it("asks Coze all but for a token when the private key is in the Secrets Store", async () => {
    const coze = await serveOnLoopback(() => new Response("hello"));
    onTestFinished(coze.close);
    const store = 'secrets_store_secrets = [{ binding = "PRIVATE_KEY", store_id = "1", secret_name = "key" }]\n';
    const folder = createFolder({
      "wrangler.toml": store + TOML,
      ".dev.vars": varsFile({ CLIENT_ID: "1127", KID, TOKEN_ENDPOINT: `${coze.url}/api/permission/oauth2/token` }),
    });
    const { stdout, code } = await run(folder, "--live", "--json");
    const found = JSON.parse(stdout);
    expect(found).toContainEqual(expect.objectContaining({ name: "clock", ok: true }));
    const detail = "not tried: PRIVATE_KEY is in the Secrets Store";
    expect(found).toContainEqual(expect.objectContaining({ name: "exchange", ok: true, detail }));
    expect(code).toBe(0);
  });

  it("says whom it waits for, except beside JSON", async () => {
    const slow = await serveOnLoopback(() => sleep(2500, new Response("hello")));
    onTestFinished(slow.close);
    const [table, json] = await Promise.all([
      run(createFolder(), "--url", slow.url),
      run(createFolder(), "--url", slow.url, "--json"),
    ]);
    expect(table.stderr).toBe(`Asking ${new URL(slow.url).host} ...\n`);
    expect(json.stderr).toBe("");
  });

  it("checks a deployed service from anywhere", async () => {
    const { stdout, code } = await run(createFolder(), "--url", "https://nowhere.invalid", "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ name: "service: DNS", ok: false }]);
    expect(code).toBe(1);
  });

  it.each([
    [["--url", "token.example.com"], /complete URL/],
    [["--url", "https://token.example.com", "--origin", "foo"], /must be an origin/],
    [["--origin", "https://app.example.com"], /--origin goes with --url/],
    [["--live", "--bogus"], /unknown option/],
  ])("exits with 2 and says what is wrong with %j", async (args, said) => {
    const { stderr, code } = await run(createFolder(), ...args);
    expect(stderr).toMatch(said);
    expect(code).toBe(2);
  });
});
