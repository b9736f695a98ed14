import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { WRANGLER } from "../lib/wrangler.ts";

/** How wrangler has ended. */
export type WranglerRun = {
  /** Its exit code; 1 when a signal ended it. */
  readonly code: number;
  /** What it has printed, if it was not shown. */
  readonly output: string;
  /** Where a deployed Worker responds, as wrangler says it: `https://…`, or `token.example.com (custom domain)`. */
  readonly targets: readonly string[];
};

/** Runs wrangler in the working directory, and shows what it prints unless it is to be quiet. */
export type RunWrangler = (args: readonly string[], isQuiet: boolean) => Promise<WranglerRun>;

/** Runs the wrangler of this project, with the configuration that is checked here and no other one that lies about. */
export const runWrangler: RunWrangler = async (args, isQuiet) => {
  using folder = createPrivateFolder("deploy");
  const report = join(folder.path, "output.ndjson");
  const child = spawn(process.execPath, [WRANGLER, ...args, "--config", "wrangler.toml"], {
    env: { ...process.env, WRANGLER_OUTPUT_FILE_PATH: report },
    stdio: isQuiet ? ["ignore", "pipe", "pipe"] : "inherit",
  });
  const kill = () => child.kill();
  process.once("exit", kill);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const [code] = await once(child, "close");
  process.off("exit", kill);
  return { code: typeof code === "number" ? code : 1, output, targets: readTargets(report) };
};

/** From wrangler's report, a JSON object a line: https://developers.cloudflare.com/workers/wrangler/system-environment-variables/ */
function readTargets(report: string): readonly string[] {
  if (!existsSync(report)) return [];
  const entries = readFileSync(report, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return entries.flatMap(({ type, targets }) =>
    type === "deploy" && Array.isArray(targets) ? targets.map(String) : [],
  );
}
