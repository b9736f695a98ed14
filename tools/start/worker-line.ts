// Pure. No clock, no I/O.

import type { SettingProblem } from "../../src/console/health.ts";
import type { LocalRequest } from "../../src/console/local-types.ts";

/** What the local Worker prints: something that the Worker has logged, or a request with its response. */
export type WorkerLine = { readonly logged: string } | { readonly request: RequestReport };

/** `caller` and `cache` as in the `token_request` event; error, sentence and settings as in the response. */
export type RequestReport = Omit<LocalRequest, "time"> & {
  readonly problems?: readonly SettingProblem[] | undefined;
};

/** Requests with this id get no line: `npm start` checks with them whether the Worker runs. */
export const PROBE_REQUEST_ID = "npm-start";

/** Sets the Worker's lines apart from wrangler's on the same stream. */
const PREFIX = "local-worker ";

/** Writes a value as one line, for `parseWorkerLine`. */
export function formatWorkerLine(line: WorkerLine): string {
  return PREFIX + JSON.stringify(line);
}

/** Reads what `formatWorkerLine` wrote; `undefined` for a line of wrangler's. */
export function parseWorkerLine(line: string): WorkerLine | undefined {
  // A cast: nothing but formatWorkerLine writes the prefix.
  return line.startsWith(PREFIX) ? (JSON.parse(line.slice(PREFIX.length)) as WorkerLine) : undefined;
}
