import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { emulatorFile } from "./harness.ts";

describe("the command", () => {
  it("explains npm run emulator with --help", async () => {
    const { code, stdout, stderr } = await run("--help").end;

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Usage: npm run emulator -- [options]");
    expect(stdout).toContain("Runs an emulator of the Coze token endpoint on this machine.");
    expect(stdout).toMatch(/--port <number> .*--host <address> /s);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "says where the emulator listens and what to try, and ends it with %s",
    async (signal) => {
      const command = run("--port", "0");
      const url = await command.url;

      const response = await fetch(`${url}/api/permission/oauth2/token`, { method: "POST" });
      command.child.kill(signal);
      const { code, stdout, stderr } = await command.end;

      expect(response.status).toBe(401);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toBe(
        `The Coze emulator works like the Coze token endpoint, on ${url}. Ctrl-C ends it.\n` +
          `Try it: curl -X POST ${url}/api/permission/oauth2/token\n`,
      );
    },
  );

  it("ends the emulator at once in spite of an exchange that is delayed", async () => {
    const command = run("--port", "0");
    const url = await command.url;
    await fetch(`${url}/emulator/faults`, { method: "POST", body: JSON.stringify({ delay_ms: 600_000 }) });
    const ending = expect(fetch(`${url}/api/permission/oauth2/token`, { method: "POST" })).rejects.toThrow(
      "fetch failed",
    );
    while (!(await (await fetch(`${url}/emulator/exchanges`)).text()).includes('"status":null'));

    command.child.kill("SIGINT");

    expect(await command.end).toMatchObject({ code: 0, stderr: "" });
    await ending;
  });

  it("says in one sentence that the port of the emulator is taken", async () => {
    const emulator = await startEmulator();

    expect(await run("--port", `${emulator.port}`).end).toEqual({
      code: 1,
      stdout: "",
      stderr: `Port ${emulator.port} of 127.0.0.1 is already in use; choose another one with --port.\n`,
    });
    await emulator.close();
  });

  it("says in one sentence that the emulator cannot listen", async () => {
    const { code, stdout, stderr } = await run("--host", "192.0.2.1", "--port", "0").end;

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Cannot listen on 192\.0\.2\.1, port 0: .+\.\n$/);
  });

  it.each([
    ["--port", "65536"],
    ["--port", "http"],
    ["--port", "-1"],
  ])("refuses the option %s %s of npm run emulator", async (...words) => {
    expect(await run(...words).end).toEqual({
      code: 1,
      stdout: "",
      stderr: `error: option '--port <number>' argument '${words[1]}' is invalid. It must be a whole number from 0 to 65535.\n`,
    });
  });

  it("refuses an unknown option of npm run emulator", async () => {
    expect(await run("--prot", "1").end).toMatchObject({ code: 1, stderr: expect.stringContaining("--prot") });
  });
});

function run(...words: string[]) {
  const child = spawn(process.execPath, [emulatorFile("main.ts"), ...words], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  const url = new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      const found = stdout.match(/on (http:\S+)\. Ctrl-C ends it\.\n.*\n/)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const end = once(child, "close").then(([code]) => ({ code, stdout, stderr }));
  return { child, url, end };
}
