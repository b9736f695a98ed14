import { setTimeout as sleep } from "node:timers/promises";
import { printError } from "../lib/failure.ts";
import { stopRequest } from "../lib/stop-request.ts";
import { readCommandLine } from "./command-line.ts";
import { runService } from "./service.ts";

/** Ctrl-C takes a fraction of it; nobody waits longer for a terminal. */
const END_LIMIT_MS = 2500;

const options = readCommandLine();
const resources = new AsyncDisposableStack();
const running = runService(options, resources);
const stopped = stopRequest().then(() => 0);

const exitCode = await Promise.race([running, stopped]).catch((error: unknown) => {
  printError(error);
  return 1;
});
await Promise.race([resources.disposeAsync(), sleep(END_LIMIT_MS)]);
process.exit(exitCode);
