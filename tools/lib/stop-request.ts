import { spawnSync } from "node:child_process";
import { isRunning } from "./is-running.ts";

/** What a shell expects of a command that Ctrl-C has ended: 128 and the number of SIGINT. */
export const INTERRUPTED_EXIT_CODE = 130;

const NPM_CHECK_MS = 250;

const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Lets signals, and the end of npm, end this process by way of exit, which ends its children and removes its private
 * folders. `before` may say a last word.
 */
export function exitOnSignals(before?: () => void): void {
  const end = () => {
    before?.();
    process.exit(INTERRUPTED_EXIT_CODE);
  };
  for (const signal of END_SIGNALS) process.once(signal, end);
  watchNpm(end);
}

/** Resolves when the command is to end: on Ctrl-C and other signals, when its output is closed, when npm is gone. */
export function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve();
    // They stay: under npm a signal may arrive twice, and must not cut the shutdown short.
    for (const signal of END_SIGNALS) process.on(signal, stop);
    for (const stream of [process.stdout, process.stderr]) stream.on("error", stop);
    watchNpm(stop);
  });
}

/** A killed npm passes no signal on, and neither does every shell that it runs this script in. */
function watchNpm(stop: () => void): void {
  const npm = npmProcessId();
  if (npm === undefined) return;

  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent || !isRunning(npm)) stop();
  }, NPM_CHECK_MS).unref();
}

/** `undefined` when no npm runs this script. Where npm's shell has stayed between the two, npm is found with `ps`. */
function npmProcessId(): number | undefined {
  const script = process.env["npm_lifecycle_script"];
  if (script === undefined) return undefined;

  const { stdout } = spawnSync("ps", ["-o", "ppid=,args=", "-p", String(process.ppid)], { encoding: "utf8" });
  const [, grandparent, command] = stdout?.match(/^\s*(\d+)\s+(.*)/) ?? [];
  return command?.includes(script) ? Number(grandparent) : process.ppid;
}
