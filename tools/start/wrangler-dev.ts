import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Failure } from "../lib/failure.ts";
import { WRANGLER } from "../lib/wrangler.ts";
import { HOST } from "./ports.ts";
import type { TerminalFormat } from "./terminal-line.ts";
import { createWranglerOutput, hasColors } from "./wrangler-output.ts";

const END_WITH_PARENT = import.meta.resolve("./end-with-parent.ts");
const LOCAL_WORKER = fileURLToPath(import.meta.resolve("./local-worker.ts"));

const ENVIRONMENT = {
  WRANGLER_HIDE_BANNER: "true",
  // Nothing is sent, so nothing has to be announced on the first run.
  WRANGLER_SEND_METRICS: "false",
  // wrangler fetches an example of `request.cf`, which without a network costs seconds and a warning.
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  // The settings are those of the vars file, whatever this shell has.
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "true",
  CLOUDFLARE_INCLUDE_PROCESS_ENV: "false",
  // By default wrangler loses sight of wrangler.toml once an editor has replaced the file instead of writing into it.
  CHOKIDAR_USEPOLLING: "true",
  CHOKIDAR_INTERVAL: "250",
};

export type WranglerDev = {
  /** Resolves when wrangler says that the Worker can be used. */
  readonly ready: Promise<void>;
  /** Rejects with a `Failure` when wrangler ends without having been asked to, or cannot build the Worker at first. */
  readonly ended: Promise<never>;
  /** From now on the lines of the Worker are shown, and wrangler's warnings and errors. */
  showOutput(): void;
  /** Ends wrangler and every process it has started. What is left when this process exits is killed. */
  end(): Promise<void>;
};

/** Runs `wrangler dev` in the project of the working directory. Nothing is asked and nothing is shown until told to. */
export function runWranglerDev(port: number, moreArguments: readonly string[], format: TerminalFormat): WranglerDev {
  const where = ["--ip", HOST, "--port", String(port), "--inspector-port", "0"];
  // Otherwise the Worker sees the host of the first of the `routes`, whatever host a request is for.
  const ownHost = "--infer-origin-from-routes=false";
  const child = fork(WRANGLER, ["dev", LOCAL_WORKER, ...where, ownHost, ...moreArguments], {
    execArgv: [`--import=${END_WITH_PARENT}`],
    env: { ...process.env, ...ENVIRONMENT, ...colors() },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A process group of its own: Ctrl-C in the terminal reaches this process only, and nothing of the group gets away.
    detached: true,
  });
  const output = createWranglerOutput(format);
  if (child.stdout) output.readStdout(child.stdout, process.stdout);
  if (child.stderr) output.readStderr(child.stderr, process.stderr);

  const killGroup = () => kill(child.pid);
  // When this process crashes, or cannot wait for `end` any longer.
  process.prependOnceListener("exit", killGroup);
  // What outlives wrangler itself holds on to its output, and "close" would wait.
  child.once("exit", killGroup);
  const closed = Promise.withResolvers<void>();
  child.once("close", () => {
    process.off("exit", killGroup);
    closed.resolve();
  });

  const ended = Promise.withResolvers<never>();
  child.once("error", (error) => ended.reject(new Failure(`wrangler cannot run: ${error.message}`, { cause: error })));
  child.once("close", (code, signal) => ended.reject(endFailure(signal ?? `exit code ${code}`, output.hiddenError())));
  output.buildFailed.then(() => ended.reject(endFailure("build failed", output.hiddenError())));

  return {
    ready: output.ready,
    ended: ended.promise,
    showOutput: output.show,

    async end() {
      output.hide();
      child.kill("SIGTERM");
      await closed.promise;
    },
  };
}

function colors(): Readonly<Record<string, string>> {
  return hasColors(process.stdout) ? { FORCE_COLOR: "1" } : {};
}

function endFailure(how: string, error: string): Failure {
  if (error === "") return new Failure(`wrangler, which runs the Worker, has ended (${how}).`);
  return new Failure(`wrangler cannot run the Worker:\n${error}`);
}

function kill(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}
