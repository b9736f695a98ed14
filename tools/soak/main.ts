import { INTERRUPTED_EXIT_CODE, stopRequest } from "../lib/stop-request.ts";
import { readCommandLine } from "./command-line.ts";
import { describeReport } from "./report.ts";
import { runSoak } from "./soak.ts";

const options = readCommandLine();
const { seed, users, concurrency, seconds } = options;
const stop = new AbortController();
stopRequest().then(() => stop.abort());

console.log(`--seed ${seed}: ${users} users, ${concurrency} clients, ${seconds} s of trouble. Ctrl-C ends it.`);
try {
  const report = await runSoak(options, { stop: stop.signal, onProgress: console.log });
  console.log(describeReport(report));
  process.exitCode = report.failures.length > 0 ? 1 : exitCodeOfSuccess();
} catch (error) {
  // Ctrl-C ends the build of the Worker as well, and then there is nothing to report.
  if (!stop.signal.aborted) throw error;
  process.exitCode = INTERRUPTED_EXIT_CODE;
}

function exitCodeOfSuccess(): number {
  return stop.signal.aborted ? INTERRUPTED_EXIT_CODE : 0;
}
