import type { Asked } from "./asking.ts";

/** What the Worker grants who asks for no duration. */
export const DEFAULT_DURATION_SECONDS = 900;

/** What is kept of one request until the end of a round. Times are Unix milliseconds, unless they are called seconds. */
export type RequestRecord = {
  readonly asked: Asked;
  readonly sentAt: number;
  /** `hit`, `stale`, `miss`, `collapsed`, the code of an error, `left`, or `unanswered`. */
  readonly ending: string;
  readonly handed: HandedToken | undefined;
};

/** A token that was answered. */
export type HandedToken = {
  readonly sha256: string;
  readonly expiresAtSeconds: number;
  readonly receivedAt: number;
  /** When Coze had refused it, if it did. */
  readonly refusedAt: number | undefined;
};

/** All tokens of a user that Coze had issued were taken back, at some moment between the two. */
export type Revocation = { readonly user: string; readonly startedAt: number; readonly endedAt: number };

/** Tells apart the tokens that one isolate keeps: by the isolate, the user and the duration. */
export function keptKeyFor(place: number, user: string | undefined, durationSeconds: number): string {
  return JSON.stringify([place, user ?? null, durationSeconds]);
}

/** The key under which the asked place keeps the token of a request. */
export function keptKeyOf({ place, user, durationSeconds = DEFAULT_DURATION_SECONDS }: Asked): string {
  return keptKeyFor(place, user, durationSeconds);
}
