/** Writes one line to the operator's log. Facts never hold a private key, an assertion or an access token. */
export type Log = (level: "info" | "warn" | "error", event: string, facts?: Readonly<Record<string, unknown>>) => void;
