import { execFileSync } from "node:child_process";
import { connect } from "node:net";

type Process = { readonly id: number; readonly parent: number; readonly command: string };

/** Every process of the machine that has not ended; one that only waits to be collected has. */
export function runningProcesses(): Process[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" }).trim().split("\n");
  return lines.flatMap((line) => {
    const [, id, parent, state, command = ""] = line.match(/^\s*(\d+)\s+(\d+)\s+(\S+)\s*(.*)$/) ?? [];
    return state === undefined || state.startsWith("Z") ? [] : [{ id: Number(id), parent: Number(parent), command }];
  });
}

/** The process and everything it has started, directly or not. */
export function processTree(id: number): Process[] {
  const all = runningProcesses();
  const tree = all.filter((process) => process.id === id);
  // The array grows while it is walked.
  for (const { id } of tree) tree.push(...all.filter(({ parent }) => parent === id));
  return tree;
}

/** Those of the processes that have not ended. */
export function survivors(processes: readonly Process[]): Process[] {
  const running = new Set(runningProcesses().map(({ id }) => id));
  return processes.filter(({ id }) => running.has(id));
}

/** Those whose command line names the port. */
export function processesOn(port: number): Process[] {
  return runningProcesses().filter(({ command }) => new RegExp(`[ :=]${port}\\b`).test(command));
}

/** Whether somebody listens on the port of this machine. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
      .once("connect", () => resolve(true))
      .once("error", () => resolve(false))
      .once("connect", () => socket.destroy());
  });
}

/** A port that nobody listens on, below those that systems hand out by themselves. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (!(await isPortTaken(port))) return port;
  }
}
