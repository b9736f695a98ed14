import { describe, expect, it } from "vitest";
import type { Attempt } from "../../../tools/soak/attempt.ts";
import { judgeExchanges } from "../../../tools/soak/exchange-bound.ts";
import type { RequestRecord } from "../../../tools/soak/request-record.ts";
import { secondsBeforeRenewal } from "../../support/freshness-oracle.ts";
import { attemptOf, ISSUED_AT, recordOf, TOKEN } from "./records.ts";

/** Of a token of 60 s that is fresh for 30: 3 * (2 * (1 + 60 / 28) + 60 / 30). */
const BOUND_FOR_A_MINUTE = 3 * (2 * (1 + 2) + 2);

function judge(attempts: readonly Attempt[], records: readonly RequestRecord[] = []) {
  const issued = attempts.filter(({ sha256 }) => sha256 !== null);
  return judgeExchanges(attempts, records, new Map(issued.map((attempt) => [String(attempt.sha256), attempt])), 60);
}

const attemptsInARow = (count: number, bend: Partial<Attempt> = {}) =>
  Array.from({ length: count }, (_, index) => attemptOf({ at: ISSUED_AT + index, sha256: null, ...bend }));

const later = (seconds: number) => attemptOf({ at: ISSUED_AT + seconds * 1000, sha256: null });

describe("the bound of exchanges", () => {
  it.each([
    [20, 10],
    [60, 30],
    [120, 60],
    [180, 120],
    [240, 180],
    [900, 675],
  ])("knows that a token of %i s is fresh for %i s", (lifetime, fresh) => {
    expect(secondsBeforeRenewal(lifetime)).toBe(fresh);
  });

  it("allows what the life of a token explains, and no more", () => {
    expect(judge(attemptsInARow(BOUND_FOR_A_MINUTE))).toMatchObject({ bound: BOUND_FOR_A_MINUTE, failures: [] });
    expect(judge(attemptsInARow(BOUND_FOR_A_MINUTE + 1)).failures).toMatchObject([{ check: "exchanges" }]);
  });

  it("allows three more for each request that ended badly or refused a token", () => {
    const left = recordOf({ ending: "left", handed: undefined });
    const stale = recordOf({ ending: "stale" });
    const refusing = recordOf({}, {}, { rejectedToken: TOKEN });
    const other = recordOf({ ending: "left", handed: undefined }, {}, { user: "grace" });
    const { bound } = judge(attemptsInARow(1), [left, stale, refusing, recordOf(), other]);
    expect(bound).toBe(BOUND_FOR_A_MINUTE + 9);
  });

  it("counts each isolate, user and duration by itself", () => {
    const ofThree = [{}, { place: 1 }, { user: undefined }].flatMap((bend) => attemptsInARow(20, bend));
    expect(judge(ofThree)).toMatchObject({ attempts: 60, bound: 3 * BOUND_FOR_A_MINUTE, failures: [] });
  });

  it("leaves out who is no Worker", () => {
    expect(judge(attemptsInARow(100, { place: -1 }))).toMatchObject({ attempts: 0, failures: [] });
  });

  it("finds an attempt of an isolate that has shown to hold a fresh token", () => {
    expect(judge([attemptOf(), later(20)], [recordOf()]).failures).toMatchObject([{ requestId: "soak-1" }]);
  });

  it("does not mind one before the token was shown, or once it is no longer fresh", () => {
    expect(judge([attemptOf(), later(0.5), later(29)], [recordOf()]).failures).toEqual([]);
  });

  it("does not mind one of another isolate", () => {
    expect(judge([attemptOf(), { ...later(20), place: 1 }], [recordOf()]).failures).toEqual([]);
  });

  it("does not mind one after the token was refused, or was itself a makeshift", () => {
    const refusing = recordOf({ sentAt: ISSUED_AT + 19_000, handed: undefined }, {}, { rejectedToken: TOKEN });
    expect(judge([attemptOf(), later(20)], [recordOf(), refusing]).failures).toEqual([]);
    expect(judge([attemptOf(), later(20)], [recordOf({ ending: "stale" })]).failures).toEqual([]);
  });
});
