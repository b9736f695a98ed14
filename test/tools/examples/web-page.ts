import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "../start/processes.ts";
import { ROOT } from "./service.ts";

/** A free port for the page, with the callers of the example for a page on it, as JSON. */
export async function prepareWebPage() {
  const port = await findFreePort();
  return { port, callers: readFileSync(join(ROOT, "examples/web/callers.json"), "utf8").replaceAll("8080", `${port}`) };
}

/** Runs the server of the page as from a terminal. Disposing of it ends it. */
export async function startWebPage(port: number, tokenUrl: string, cozeApi: string) {
  const child = spawn(process.execPath, ["examples/web/serve.js"], {
    cwd: ROOT,
    env: { ...process.env, PORT: `${port}`, TOKEN_URL: tokenUrl, COZE_API: cozeApi },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return {
    url: `http://127.0.0.1:${port}`,
    /** What it has printed. */
    line,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
