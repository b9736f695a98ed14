import { spawn } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort, processTree } from "./processes.ts";
import type { Project } from "./project.ts";

const POLL_MS = 20;

type RunOptions = {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `node tools/run.js start` when left out. */
  readonly command?: readonly [file: string, ...words: string[]];
};

/** A run of the service in a project: with a process group of its own, as in a terminal. Disposing of it ends it. */
export function runService({ root, home, temp }: Project, { args = [], env = {}, command }: RunOptions = {}) {
  const [file, ...words] = command ?? [process.execPath, "tools/run.js", "start"];
  const child = spawn(file, [...words, ...args], {
    cwd: root,
    env: { ...bareEnvironment(), HOME: home, TMPDIR: temp, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });

  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  let isOver = false;
  const ended = once(child, "close").then(([code]) => {
    isOver = true;
    return { code, stdout, stderr };
  });

  return {
    child,
    /** Its exit code and everything it has printed. */
    ended,
    output: () => stdout + stderr,
    processes: () => processTree(child.pid ?? 0),

    /** Waits until it has printed this; throws when it ends without. */
    async says(text: string | RegExp): Promise<void> {
      const isSaid = () => (typeof text === "string" ? (stdout + stderr).includes(text) : text.test(stdout + stderr));
      while (!isSaid() && !isOver) await sleep(POLL_MS);
      if (!isSaid()) throw new Error(`It ended without saying ${text}: ${stdout}${stderr}`);
    },

    /** Sends the signal as a terminal does: to every process in the foreground. */
    signal(signal: NodeJS.Signals): void {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    },

    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

export type StartedService = Awaited<ReturnType<typeof startService>>;

/** Runs the service on a free port until it is ready. */
export async function startService(project: Project, { args = [], ...options }: RunOptions = {}) {
  const port = await findFreePort();
  const service = runService(project, { ...options, args: [...args, "--port", String(port)] });
  await service.says("Ctrl-C");

  const url = `http://127.0.0.1:${port}/`;
  const emulator = service.output().match(/emulator \((\S+)\)/)?.[1] ?? "";
  return { ...service, port, url, emulator, requestToken: (userId: string) => requestToken(url, userId) };
}

/** A token for the user, and whether it came from the cache. */
export async function requestToken(url: string, userId: string) {
  const response = await fetch(url, { method: "POST", headers: { "X-User-ID": userId } });
  const body = await response.json<Readonly<Record<string, unknown>>>();
  return { status: response.status, cacheStatus: response.headers.get("Cache-Status"), body };
}

/** Sends any `Host`, which `fetch` does not, and any `Origin`, as a page does. */
export async function send(url: string, headers: Readonly<Record<string, string>>, method = "POST") {
  const sent = request(url, { method, headers }).end();
  const [response]: readonly IncomingMessage[] = await once(sent, "response");
  if (response === undefined) throw new Error("There is no response.");
  return { status: response.statusCode, headers: response.headers, body: await json(response) };
}

/** What any shell has, and nothing of the npm and vitest that the tests run in. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => /^(npm_|NODE|VITEST|PORT$|FORCE_COLOR$|CI$)/.test(name));
  return { ...process.env, ...Object.fromEntries(names.map((name) => [name, undefined])) };
}
