// Pure. No clock, no I/O.
import { stripVTControlCharacters } from "node:util";
import type { RequestReport, WorkerLine } from "./worker-line.ts";

/** What the terminal may show: a line of the local Worker, or that wrangler has loaded an edited file. */
export type TerminalEvent = WorkerLine | { readonly isReloaded: true };

/** Formats an event for the terminal; `undefined` when it is not shown. */
export type TerminalFormat = (event: TerminalEvent, time: Date) => string | undefined;

/** The log as production has it: lines of JSON, nothing else. */
export const jsonFormat: TerminalFormat = (event) => ("logged" in event ? event.logged : undefined);

/** One short line for each request, reload, warning and error. What the Worker prints beside its log stays as it is. */
export const readableFormat: TerminalFormat = (event, time) => {
  if ("isReloaded" in event) return timedLine(time, ["reloaded"]);
  if ("request" in event) return timedLine(time, requestFields(event.request));

  const entry = parseEntry(event.logged);
  if (entry === undefined) return event.logged;
  // The line of the request says what `token_request` does.
  if (entry.level === "info" || entry.event === "token_request") return undefined;
  return timedLine(time, entryFields(entry));
};

/** Puts the time of day before the fields; a field without a value is left out. */
export function timedLine(time: Date, fields: readonly (string | undefined)[]): string {
  const shown = [time.toTimeString().slice(0, 8), ...fields].filter((field) => field !== undefined);
  // Methods, callers and messages of other services come from outside.
  return stripVTControlCharacters(shown.join("  ")).replace(/\p{Cc}/gu, "?");
}

function requestFields({ method, path, status, cache, caller, durationMs, ...failure }: RequestReport) {
  const problems = (failure.problems ?? []).map(({ setting, problem }) => `${setting} ${problem}.`);
  const sentences = [failure.description, ...problems].filter((sentence) => sentence !== undefined).join(" ");
  const error = [failure.error, sentences].filter((part) => part !== undefined && part !== "").join(": ");
  return [`${method} ${path}`, String(status), cache, caller, `${durationMs} ms`, error === "" ? undefined : error];
}

type LogEntry = { readonly level: string; readonly event: string } & Readonly<Record<string, unknown>>;

/** The Worker logs its events as lines of JSON. */
function parseEntry(logged: string): LogEntry | undefined {
  try {
    const value: unknown = JSON.parse(logged);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is LogEntry {
  return typeof value === "object" && value !== null && "level" in value && "event" in value;
}

function entryFields({ level, event, request_id: _, ...facts }: LogEntry): readonly string[] {
  return [
    level === "warn" ? "warning" : level,
    event,
    ...Object.entries(facts).map(([name, fact]) => `${name}: ${shortFact(fact)}`),
  ];
}

/** The first line of a string, so without a stack; JSON for anything else. */
function shortFact(fact: unknown): string {
  return typeof fact === "string" ? (fact.split("\n")[0] ?? "") : JSON.stringify(fact);
}
