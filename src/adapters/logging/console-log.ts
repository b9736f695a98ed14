import type { Log } from "../../core/log.ts";

/** Writes each entry as one line of JSON, which Workers Logs indexes by its members. */
export const consoleLog: Log = (level, event, facts) => {
  console[level](JSON.stringify({ level, event, ...facts }));
};
