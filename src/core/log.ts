/** Writes one line to the operator's log. Facts never hold a private key, an assertion or an access token. */
export type Log = (level: "info" | "warn" | "error", event: string, facts?: Readonly<Record<string, unknown>>) => void;

/** Enough of a message to understand it. */
export const MAX_EXCERPT_LENGTH = 500;

/** Cuts a string that comes from outside to 500 characters, so that nobody fills a response or the log with it. */
export function excerpt(text: string): string {
  return text.slice(0, MAX_EXCERPT_LENGTH);
}
