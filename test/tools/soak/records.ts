import { sha256Hex } from "../../../tools/lib/sha256.ts";
import type { Asked } from "../../../tools/soak/asking.ts";
import type { Attempt } from "../../../tools/soak/attempt.ts";
import type { HandedToken, RequestRecord } from "../../../tools/soak/request-record.ts";

/** When the exchange of {@link attemptOf} arrives, in Unix milliseconds. */
export const ISSUED_AT = 1_800_000_000_000;

export const TOKEN = "czs_of_ada";

/** A request of ada's for a token of a minute. */
export function askedBy(bend: Partial<Asked> = {}): Asked {
  return {
    id: "soak-1",
    place: 0,
    user: "ada",
    durationSeconds: 60,
    rejectedToken: undefined,
    leave: undefined,
    ...bend,
  };
}

/** The exchange that brought ada her token. */
export function attemptOf(bend: Partial<Attempt> = {}): Attempt {
  return { at: ISSUED_AT, place: 0, user: "ada", durationSeconds: 60, sha256: sha256Hex(TOKEN), ...bend };
}

/** Ada's request of a second later, which got that token. */
export function recordOf(
  bend: Partial<RequestRecord> = {},
  handed: Partial<HandedToken> = {},
  asked: Partial<Asked> = {},
): RequestRecord {
  const receivedAt = ISSUED_AT + 1000;
  return {
    asked: askedBy(asked),
    sentAt: receivedAt - 10,
    ending: "hit",
    handed: {
      sha256: sha256Hex(TOKEN),
      expiresAtSeconds: ISSUED_AT / 1000 + 60,
      receivedAt,
      refusedAt: undefined,
      ...handed,
    },
    ...bend,
  };
}
