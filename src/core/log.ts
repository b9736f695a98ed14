/** Writes one line to the operator's log. Facts never hold a private key, an assertion or an access token. */
export type Log = (level: "info" | "warn" | "error", event: string, facts?: Readonly<Record<string, unknown>>) => void;

/** Long enough to understand a message. */
export const MAX_EXCERPT_LENGTH = 500;

/** Cuts a string that comes from outside to 500 characters, so that it cannot fill a response or the log. */
export function excerpt(value: string): string {
  return value.slice(0, MAX_EXCERPT_LENGTH);
}
