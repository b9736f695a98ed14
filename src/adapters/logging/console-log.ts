import type { Log } from "../../core/log.ts";

/** Writes each entry as one line of JSON, because Workers Logs indexes the properties of JSON objects. */
export const consoleLog: Log = (level, event, facts) => {
  console[level](JSON.stringify({ level, event, ...facts }));
};
