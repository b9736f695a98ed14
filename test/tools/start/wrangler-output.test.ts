import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { jsonFormat, readableFormat, type TerminalFormat } from "../../../tools/start/terminal-line.ts";
import { formatWorkerLine } from "../../../tools/start/worker-line.ts";
import { createWranglerOutput } from "../../../tools/start/wrangler-output.ts";

const LOGGED = '{"level":"info","event":"ready","access":"open","cache":"kv"}';
const REQUEST = formatWorkerLine({ request: { method: "GET", path: "/health", status: 200, durationMs: 1 } });

const STDOUT = [
  "Using secrets defined in .dev.vars",
  'env.FOO ("x")     Environment Variable     local',
  "\u001b[34m[custom build]\u001b[39m Running: npm run --silent build",
  "\u001b[31m[custom build]\u001b[39m Build failed with 1 error:",
  "\u001b[31m[custom build]\u001b[39m ",
  "⎔ Reloading local server...",
  "\u001b[2m⎔ Local server updated and ready\u001b[22m",
  formatWorkerLine({ logged: LOGGED }),
  REQUEST,
  "[wrangler:info] GET /health 200 OK (8ms)",
  "[wrangler:error] Error: Oh no",
  "    at Object.fetch (src/index.ts:42:45)",
  "[wrangler:info] POST / 500 Internal Server Error (55ms)",
  "",
];

it("shows the Worker's lines, failed builds, reloads and thrown errors of wrangler's stdout in readable form", async () => {
  const shown = await show(readableFormat, "readStdout", STDOUT);

  expect(shown.map((line) => line.replace(/^\d\d:\d\d:\d\d/, "TIME"))).toEqual([
    "Build failed with 1 error:",
    "TIME  reloaded",
    "TIME  GET /health  200  1 ms",
    "Error: Oh no",
    "    at Object.fetch (src/index.ts:42:45)",
  ]);
});

it("shows the Worker's log, failed builds and thrown errors of wrangler's stdout as in production", async () => {
  expect(await show(jsonFormat, "readStdout", STDOUT)).toEqual([
    "Build failed with 1 error:",
    LOGGED,
    "Error: Oh no",
    "    at Object.fetch (src/index.ts:42:45)",
  ]);
});

it("shows wrangler's warnings and errors without blank lines and advice, and colours only where supported", async () => {
  const stderr = [
    "\u001b[31m✘ [ERROR]\u001b[0m Build failed",
    "",
    '  🪵  Logs were written to "x.log"',
    "    src/app.ts:1:2",
  ];

  expect(await show(readableFormat, "readStderr", stderr)).toEqual(["✘ [ERROR] Build failed", "    src/app.ts:1:2"]);
});

async function show(format: TerminalFormat, read: "readStdout" | "readStderr", lines: readonly string[]) {
  const [source, target] = [new PassThrough(), new PassThrough({ encoding: "utf8" })];
  const output = createWranglerOutput(format);
  output[read](source, target);
  output.show();
  source.end(lines.map((line) => `${line}\n`).join(""));
  await once(source, "end");
  return String(target.read() ?? "")
    .split("\n")
    .slice(0, -1);
}
