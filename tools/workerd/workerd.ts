import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** A Worker to run on raw workerd, without any proxy before it. */
export type WorkerdOptions = {
  /** File of the Worker's only module. */
  readonly script: string;
  /** Variables: strings stay strings, everything else becomes a JSON binding. */
  readonly vars?: Readonly<Record<string, unknown>>;
  /** KV namespaces by binding name; each is a server that speaks workerd's KV protocol, as `host:port`. */
  readonly kv?: Readonly<Record<string, string>>;
  /** Whether a stand-in for Cloudflare's edge comes before the Worker, so that clients can leave: see edge-worker.js. */
  readonly edge?: boolean;
  /** Whether the Worker's log goes nowhere: reading it costs the machine time that a measurement would count. */
  readonly quiet?: boolean;
  /** Flags of V8, such as those that limit its heap. */
  readonly v8Flags?: readonly string[];
  /** Whether Ctrl-C in a terminal leaves it running, because the process that starts it must finish something first. */
  readonly detached?: boolean;
};

/** A workerd process that serves one Worker on a free port of the loopback address. */
export type Workerd = {
  readonly url: string;
  readonly pid: number;
  /** CPU time that the process has used so far, user and system, in milliseconds. Linux only. */
  readonly cpuMs: () => Promise<number>;
  /** Memory that the process holds now, in KiB. Linux only. */
  readonly residentKiB: () => Promise<number>;
  /** What the Worker has logged since it was started, line by line. */
  readonly logLines: () => readonly string[];
  readonly close: () => Promise<void>;
};

/** The Worker runs here as it does when it is deployed. */
const WRANGLER_TOML = join(import.meta.dirname, "../../wrangler.toml");
const NS_PER_MS = 1e6;
/** The last lines are enough to tell what went wrong; a long run writes many. */
const MAX_LOG_LINES = 10_000;

/**
 * Starts workerd and waits until it listens.
 * @throws Error with workerd's own output when it ends before that.
 */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-workerd-"));
  await copyFile(options.script, join(folder, "worker.js"));
  await copyFile(join(import.meta.dirname, "edge-worker.js"), join(folder, "edge.js"));
  const config = capnpConfig(options, await readFile(WRANGLER_TOML, "utf8"));
  await writeFile(join(folder, "config.capnp"), config, { mode: 0o600 });

  // workerd writes its port to the fourth stream.
  const child = spawn(workerdBinary(), ["serve", "--control-fd=3", "config.capnp"], {
    cwd: folder,
    detached: options.detached ?? false,
    stdio: ["ignore", options.quiet ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const lines = collectLines(child);
  const exited = once(child, "exit");
  const port = await Promise.race([readPort(child), exited.then(() => undefined)]);
  const { pid } = child;
  if (port === undefined || pid === undefined) {
    await rm(folder, { recursive: true });
    throw new Error(`workerd ended before it listened: ${lines.join("\n")}`);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid,
    cpuMs: () => readCpuMs(pid),
    residentKiB: () => readResidentKiB(pid),
    logLines: () => lines,
    async close() {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

function capnpConfig({ vars = {}, kv = {}, edge = false, v8Flags = [] }: WorkerdOptions, wranglerToml: string): string {
  const compatibility = [
    `compatibilityDate = ${settingIn(wranglerToml, "compatibility_date")}`,
    `compatibilityFlags = ${settingIn(wranglerToml, "compatibility_flags")}`,
  ].join(", ");
  const bindings = [
    ...Object.entries(vars).map(([name, value]) =>
      typeof value === "string"
        ? `(name = ${quoted(name)}, text = ${quoted(value)})`
        : `(name = ${quoted(name)}, json = ${quoted(JSON.stringify(value))})`,
    ),
    ...Object.keys(kv).map((name) => `(name = ${quoted(name)}, kvNamespace = ${quoted(`kv-${name}`)})`),
  ];
  const stores = Object.entries(kv).map(
    ([name, address]) => `(name = ${quoted(`kv-${name}`)}, external = (address = ${quoted(address)}, http = ()))`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      ${compatibility},
      bindings = [${bindings.join(",\n        ")}],
      globalOutbound = "internet",
    )),
    (name = "edge", worker = (
      modules = [(name = "edge.js", esModule = embed "edge.js")],
      ${compatibility},
      bindings = [(name = "worker", service = "main")],
    )),
    (name = "internet", network = (allow = ["public", "private"])),
    ${stores.join(",\n    ")}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = ${quoted(edge ? "edge" : "main")})],
  v8Flags = [${v8Flags.map(quoted).join(", ")}],
);
`;
}

/** The value of a setting as wrangler.toml writes it: TOML writes strings and lists of them as Cap'n Proto does. */
function settingIn(wranglerToml: string, name: string): string {
  const value = new RegExp(`^${name} = (\\[.*?\\]|".*?")`, "m").exec(wranglerToml)?.[1];
  if (value === undefined) throw new Error(`wrangler.toml has no ${name}.`);
  return value;
}

/** Cap'n Proto text has the escapes of JSON that occur here. */
function quoted(value: string): string {
  return JSON.stringify(value);
}

function workerdBinary(): string {
  const require = createRequire(import.meta.url);
  const { default: path } = require("workerd") as { default: string }; // the package's documented export
  return path;
}

async function readPort(child: ChildProcess): Promise<number> {
  let told = "";
  for await (const chunk of child.stdio[3] as Readable) {
    told += String(chunk);
    const port = /"event":"listen".*"port":(\d+)/.exec(told)?.[1];
    if (port !== undefined) return Number(port);
  }
  // The stream ends with the process; the caller waits for that too, and knows more.
  return new Promise(() => {});
}

function collectLines({ stdout, stderr }: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [stdout, stderr]) {
    let rest = "";
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      if (lines.length > MAX_LOG_LINES) lines.splice(0, lines.length - MAX_LOG_LINES);
    });
  }
  return lines;
}

/** The scheduler counts in nanoseconds, where `/proc/PID/stat` has hundredths of a second; but thread by thread. */
async function readCpuMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")));
  return times.reduce((sum, time) => sum + Number.parseInt(time, 10), 0) / NS_PER_MS;
}

async function readResidentKiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}
