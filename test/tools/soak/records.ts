import { sha256Hex } from "../../../tools/lib/sha256.ts";
import type { SoakRequest } from "../../../tools/soak/client.ts";
import type { ExchangeAttempt } from "../../../tools/soak/exchange-bound.ts";
import type { ReceivedToken, RequestRecord } from "../../../tools/soak/recorder.ts";

/** When the exchange of {@link createAttempt} arrives, in Unix milliseconds. */
export const ISSUED_AT = 1_800_000_000_000;

export const TOKEN = "czs_of_ada";

/** A request of ada's for a token of a minute. */
export function createRequest(bend: Partial<SoakRequest> = {}): SoakRequest {
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

/** The exchange that issued that token. */
export function createAttempt(bend: Partial<ExchangeAttempt> = {}): ExchangeAttempt {
  return { at: ISSUED_AT, place: 0, user: "ada", durationSeconds: 60, sha256: sha256Hex(TOKEN), ...bend };
}

/** Ada's request a second later, which got that token. */
export function createRecord(
  bend: Partial<RequestRecord> = {},
  token: Partial<ReceivedToken> = {},
  request: Partial<SoakRequest> = {},
): RequestRecord {
  const receivedAt = ISSUED_AT + 1000;
  return {
    request: createRequest(request),
    sentAt: receivedAt - 10,
    ending: "hit",
    token: {
      sha256: sha256Hex(TOKEN),
      expiresAtSeconds: ISSUED_AT / 1000 + 60,
      receivedAt,
      rejectedAt: undefined,
      ...token,
    },
    ...bend,
  };
}
