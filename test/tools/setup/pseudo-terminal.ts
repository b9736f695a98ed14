import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { onTestFinished } from "vitest";

const POLL_MS = 20;
const PATIENCE_MS = 30_000;

export const ENTER = "\r";
export const DOWN = "\u001b[B";
export const CTRL_C = "\u0003";
export const CTRL_D = "\u0004";

export type Terminal = ReturnType<typeof openTerminal>;

/** Runs a program of this Node.js in a pseudo-terminal, which `script` of util-linux opens. Ended with the test. */
export function openTerminal(
  folder: string,
  program: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const line = [process.execPath, program, ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qefc", `stty cols 200; ${line}`, "/dev/null"], {
    cwd: folder,
    env: { ...process.env, ...env, TERM: "xterm", CI: undefined },
  });
  let output = "";
  /** What has been waited for ends here. */
  let seen = 0;
  let isOver = false;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  const ended = once(child, "close").then(([code]) => {
    isOver = true;
    return { code, output: stripVTControlCharacters(output) };
  });
  onTestFinished(async () => {
    child.kill();
    await ended;
  });

  return {
    /** Its exit code and all it has shown. */
    ended,
    /** Waits until it shows this, after all that has been waited for before. */
    async shows(text: string): Promise<void> {
      const start = Date.now();
      for (;;) {
        const shown = stripVTControlCharacters(output);
        const at = shown.indexOf(text, seen);
        if (at !== -1) {
          seen = at + text.length;
          return;
        }
        if (isOver || Date.now() - start > PATIENCE_MS)
          throw new Error(`It did not show "${text}":\n${shown.slice(seen)}`);
        await sleep(POLL_MS);
      }
    },
    type: (keys: string) => child.stdin.write(keys),
  };
}
