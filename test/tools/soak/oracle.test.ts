import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import type { ExchangeAttempt } from "../../../tools/soak/exchange-bound.ts";
import { checkTokens } from "../../../tools/soak/oracle.ts";
import type { RequestRecord, Revocation } from "../../../tools/soak/recorder.ts";
import { createAttempt, createRecord, ISSUED_AT, TOKEN } from "./records.ts";

function check(
  record: RequestRecord,
  attempts: readonly ExchangeAttempt[] = [createAttempt()],
  revocations: readonly Revocation[] = [],
) {
  const issued = new Map(attempts.map((attempt) => [String(attempt.sha256), attempt]));
  return checkTokens([record], issued, revocations).map(({ check, requestId }) => `${check} ${requestId}`);
}

describe("checkTokens", () => {
  it("passes a token of the same user and duration that Coze accepts", () => {
    expect(check(createRecord())).toEqual([]);
  });

  it("passes a request that got no token", () => {
    expect(check(createRecord({ token: undefined, ending: "upstream_timeout" }))).toEqual([]);
  });

  it("finds a token that Coze has not issued", () => {
    expect(check(createRecord({}, { sha256: sha256Hex("czs_invented") }))).toEqual(["owner soak-1"]);
  });

  it("finds a token of another user, and tells no user from a user called null", () => {
    expect(check(createRecord({}, {}, { user: "Ada" }))).toEqual(["owner soak-1"]);
    expect(check(createRecord({}, {}, { user: undefined }))).toEqual(["owner soak-1"]);
    expect(check(createRecord({}, {}, { user: "null" }), [createAttempt({ user: undefined })])).toEqual([
      "owner soak-1",
    ]);
  });

  it("finds a token of another duration, unless it was in KV from the start", () => {
    expect(check(createRecord({}, {}, { durationSeconds: 120 }))).toEqual(["owner soak-1"]);
    expect(check(createRecord({}, {}, { durationSeconds: 120 }), [createAttempt({ place: -1 })])).toEqual([]);
  });

  it("finds an expires_in that is not the end of the token", () => {
    expect(check(createRecord({}, { expiresAtSeconds: ISSUED_AT / 1000 + 90 }))).toEqual(["life soak-1"]);
    expect(check(createRecord({}, { expiresAtSeconds: ISSUED_AT / 1000 + 30 }))).toEqual(["life soak-1"]);
  });

  it("finds a token that Coze rejects, unless it was revoked after it was issued", () => {
    const refused = createRecord({}, { rejectedAt: ISSUED_AT + 1100 });
    expect(check(refused)).toEqual(["life soak-1"]);

    const revoked = { user: "ada", startedAt: ISSUED_AT + 500, endedAt: ISSUED_AT + 600 };
    expect(check(refused, undefined, [revoked])).toEqual([]);
    expect(check(refused, undefined, [{ ...revoked, user: "grace" }])).toEqual(["life soak-1"]);
    expect(check(refused, undefined, [{ ...revoked, startedAt: 0, endedAt: ISSUED_AT - 1 }])).toEqual(["life soak-1"]);
    expect(check(refused, undefined, [{ ...revoked, startedAt: ISSUED_AT + 1101 }])).toEqual(["life soak-1"]);
  });

  it("allows Coze to refuse a token that has expired since", () => {
    expect(check(createRecord({}, { rejectedAt: ISSUED_AT + 60_000 }))).toEqual([]);
  });

  it("finds a rejected token in the response, once it is old enough", () => {
    expect(check(createRecord({ sentAt: ISSUED_AT + 11_000 }, {}, { rejectedToken: TOKEN }))).toEqual(["life soak-1"]);
    expect(check(createRecord({ sentAt: ISSUED_AT + 9000 }, {}, { rejectedToken: TOKEN }))).toEqual([]);
    expect(check(createRecord({ sentAt: ISSUED_AT + 11_000 }, {}, { rejectedToken: "czs_before" }))).toEqual([]);
  });
});
