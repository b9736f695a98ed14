import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";

describe("npm run soak", () => {
  it("explains npm run soak with --help", async () => {
    const { code, output } = await ended(start("--help"));
    expect(code).toBe(0);
    for (const option of ["--seconds", "--users", "--concurrency", "--seed"]) expect(output).toContain(option);
  });

  it.each(["--seconds=0", "--users=many", "--concurrency=1.5", "--seed=-1", "--unknown"])(
    "refuses the argument %s of npm run soak",
    async (option) => {
      expect((await ended(start(option))).code).toBe(1);
    },
  );

  it("ends a soak run with Ctrl-C, and still reports", { timeout: 120_000 }, async () => {
    const soak = start("--seconds=300", "--users=5", "--concurrency=4", "--seed=5");
    const whole = ended(soak);
    await firstProgress(soak);
    // As a terminal does: to the process and to all that it has started.
    process.kill(-Number(soak.pid), "SIGINT");

    const { code, output } = await whole;
    expect(output).toContain("every check held");
    expect(output).toMatch(/stopped after \d+ s/);
    expect(output).toContain("--seed 5");
    expect(output).toMatch(/^outcomes +\d/m);
    expect(code).toBe(130);
  });
});

function start(...options: string[]): ChildProcess {
  return spawn(process.execPath, ["tools/soak/main.ts", ...options], { detached: true });
}

async function firstProgress({ stdout }: ChildProcess): Promise<void> {
  let told = "";
  await new Promise<void>((resolve) => {
    stdout?.on("data", (chunk) => {
      told += chunk;
      if (/^\d+ s: /m.test(told)) resolve();
    });
  });
}

async function ended(child: ChildProcess): Promise<{ readonly code: number; readonly output: string }> {
  const { stdout, stderr } = child;
  const [[code], ...outputs] = await Promise.all([
    once(child, "exit") as Promise<[number]>,
    ...[stdout, stderr].map((stream) => (stream === null ? "" : text(stream))),
  ]);
  return { code, output: outputs.join("") };
}
