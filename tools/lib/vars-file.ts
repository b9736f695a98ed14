/** The vars file that wrangler reads by itself. */
export const DEFAULT_VARS_FILE = ".dev.vars";

/** The vars file of an environment of wrangler; `undefined` is the top level. */
export function varsFileFor(env: string | undefined): string {
  return env === undefined ? DEFAULT_VARS_FILE : `${DEFAULT_VARS_FILE}.${env}`;
}

/** A line of a vars file (dotenv). Line breaks become `\n`; a value cannot hold all three kinds of quotes. */
export function varsLine(name: string, value: string): string {
  if (!value.includes('"')) return `${name}="${value.trim().replace(/\r?\n/g, "\\n")}"`;
  const quote = value.includes("'") ? "`" : "'"; // within these, nothing is an escape
  return `${name}=${quote}${value}${quote}`;
}
