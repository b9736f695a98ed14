import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import type { Attempt } from "../../../tools/soak/attempt.ts";
import type { RequestRecord, Revocation } from "../../../tools/soak/request-record.ts";
import { tokenFailures } from "../../../tools/soak/token-check.ts";
import { attemptOf, ISSUED_AT, recordOf, TOKEN } from "./records.ts";

function judge(
  record: RequestRecord,
  attempts: readonly Attempt[] = [attemptOf()],
  revocations: readonly Revocation[] = [],
) {
  const issues = new Map(attempts.map((attempt) => [String(attempt.sha256), attempt]));
  return tokenFailures([record], issues, revocations).map(({ check, requestId }) => `${check} ${requestId}`);
}

describe("the check of tokens", () => {
  it("passes a token of the same user and duration that Coze accepts", () => {
    expect(judge(recordOf())).toEqual([]);
  });

  it("passes a request that got none", () => {
    expect(judge(recordOf({ handed: undefined, ending: "upstream_timeout" }))).toEqual([]);
  });

  it("finds a token that Coze has not issued", () => {
    expect(judge(recordOf({}, { sha256: sha256Hex("czs_invented") }))).toEqual(["owner soak-1"]);
  });

  it("finds a token of another user, and tells nobody from a user called null", () => {
    expect(judge(recordOf({}, {}, { user: "Ada" }))).toEqual(["owner soak-1"]);
    expect(judge(recordOf({}, {}, { user: undefined }))).toEqual(["owner soak-1"]);
    expect(judge(recordOf({}, {}, { user: "null" }), [attemptOf({ user: undefined })])).toEqual(["owner soak-1"]);
  });

  it("finds a token of another duration, unless it was in KV from the start", () => {
    expect(judge(recordOf({}, {}, { durationSeconds: 120 }))).toEqual(["owner soak-1"]);
    expect(judge(recordOf({}, {}, { durationSeconds: 120 }), [attemptOf({ place: -1 })])).toEqual([]);
  });

  it("finds an end that is not the end of the token", () => {
    expect(judge(recordOf({}, { expiresAtSeconds: ISSUED_AT / 1000 + 90 }))).toEqual(["life soak-1"]);
    expect(judge(recordOf({}, { expiresAtSeconds: ISSUED_AT / 1000 + 30 }))).toEqual(["life soak-1"]);
  });

  it("finds a token that Coze refuses, unless it was taken back after it was issued", () => {
    const refused = recordOf({}, { refusedAt: ISSUED_AT + 1100 });
    expect(judge(refused)).toEqual(["life soak-1"]);

    const revoked = { user: "ada", startedAt: ISSUED_AT + 500, endedAt: ISSUED_AT + 600 };
    expect(judge(refused, undefined, [revoked])).toEqual([]);
    expect(judge(refused, undefined, [{ ...revoked, user: "grace" }])).toEqual(["life soak-1"]);
    expect(judge(refused, undefined, [{ ...revoked, startedAt: 0, endedAt: ISSUED_AT - 1 }])).toEqual(["life soak-1"]);
    expect(judge(refused, undefined, [{ ...revoked, startedAt: ISSUED_AT + 1101 }])).toEqual(["life soak-1"]);
  });

  it("does not mind that Coze refuses a token that has ended since", () => {
    expect(judge(recordOf({}, { refusedAt: ISSUED_AT + 60_000 }))).toEqual([]);
  });

  it("finds a token that is answered to who says that Coze refuses it, once it is old enough", () => {
    expect(judge(recordOf({ sentAt: ISSUED_AT + 11_000 }, {}, { rejectedToken: TOKEN }))).toEqual(["life soak-1"]);
    expect(judge(recordOf({ sentAt: ISSUED_AT + 9000 }, {}, { rejectedToken: TOKEN }))).toEqual([]);
    expect(judge(recordOf({ sentAt: ISSUED_AT + 11_000 }, {}, { rejectedToken: "czs_before" }))).toEqual([]);
  });
});
