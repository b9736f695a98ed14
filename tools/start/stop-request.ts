import { npmProcess } from "./npm-process.ts";

/** What a shell expects of a command that Ctrl-C has ended: 128 and the number of SIGINT. */
export const INTERRUPTED_EXIT_CODE = 130;

const NPM_CHECK_MS = 250;

/** Resolves when the command is to end: on Ctrl-C and other signals, when nobody reads its output, when npm is gone. */
export function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve();
    // They stay: under npm a signal may arrive twice, and must not cut the ending short.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
    for (const stream of [process.stdout, process.stderr]) stream.on("error", stop);
    watchNpm(stop);
  });
}

/** A killed npm passes no signal on, and neither does every shell that it runs this script in. */
function watchNpm(stop: () => void): void {
  const npm = npmProcess();
  if (npm === undefined) return;

  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent || !isRunning(npm)) stop();
  }, NPM_CHECK_MS).unref();
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
