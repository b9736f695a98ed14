import type { Exchange } from "../emulator/exchange-log.ts";
import { DEFAULT_DURATION_SECONDS } from "./request-record.ts";

/** What the emulator's list of exchanges tells of an exchange. */
export type Attempt = {
  /** When it arrived, in Unix milliseconds. */
  readonly at: number;
  /** The index of the place that asked, or -1 for whoever else did. */
  readonly place: number;
  readonly user: string | undefined;
  readonly durationSeconds: number;
  /** Of the token that was issued, whether or not it ever arrived. */
  readonly sha256: string | null;
};

/** Reads an entry of the list; `kids` are those of the places. */
export function readAttempt({ at, assertion, body, access_token_sha256 }: Exchange, kids: readonly string[]): Attempt {
  const user = assertion?.claims["session_name"];
  const asked = typeof body === "object" && body !== null && "duration_seconds" in body ? body.duration_seconds : null;
  return {
    at,
    place: kids.indexOf(String(assertion?.header["kid"])),
    user: user === undefined ? undefined : String(user),
    durationSeconds: typeof asked === "number" ? asked : DEFAULT_DURATION_SECONDS,
    sha256: access_token_sha256,
  };
}

/** The attempts that ended with a token, by its SHA-256. */
export type Issues = ReadonlyMap<string, Attempt>;
