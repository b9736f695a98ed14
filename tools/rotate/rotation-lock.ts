import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../lib/failure.ts";
import { isRunning } from "../lib/is-running.ts";
import type { Project } from "../lib/project.ts";
import { stateFile } from "./rotation-state.ts";

/**
 * Keeps other runs away from the rotation of an environment until it is disposed of. A lock whose process has ended does not
 * count.
 * @throws Failure when another run has it.
 */
export function lockRotation(project: Pick<Project, "root" | "env">): Disposable {
  const name = stateFile(project).replace(/json$/, "lock");
  const path = join(project.root, name);
  mkdirSync(dirname(path), { recursive: true });
  if (!take(path)) {
    const holder = Number(readFileSync(path, "utf8"));
    if (holder > 0 && isRunning(holder)) {
      throw new Failure(
        `Another npm run rotate is at work here, process ${holder}. Wait until it has ended. If there is none, delete ${name}.`,
      );
    }
    rmSync(path);
    if (!take(path)) throw new Failure("Another npm run rotate has just begun here. Wait until it has ended.");
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false; // of node:fs
    throw error;
  }
}
