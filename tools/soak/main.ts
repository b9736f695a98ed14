import { readCommandLine } from "./command-line.ts";
import { describeReport } from "./report.ts";
import { runSoak } from "./soak.ts";

/** What a shell expects of a command that Ctrl-C has ended. */
const INTERRUPTED_EXIT_CODE = 130;

const options = readCommandLine();
const stop = new AbortController();
// Under npm the signal may arrive twice, and must not cut the report short.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

console.log(
  `--seed ${options.seed}: ${options.users} users, ${options.concurrency} clients, ${options.seconds} s. Ctrl-C ends it.`,
);
const report = await runSoak(options, { stop: stop.signal, onProgress: console.log });
console.log(describeReport(report));
if (report.failures.length > 0) process.exitCode = 1;
else if (report.wasStopped) process.exitCode = INTERRUPTED_EXIT_CODE;
