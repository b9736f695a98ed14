import { describe, expect, it } from "vitest";
import { checkExchanges, type ExchangeAttempt } from "../../../tools/soak/exchange-bound.ts";
import type { RequestRecord } from "../../../tools/soak/recorder.ts";
import { secondsBeforeRenewal } from "../../support/freshness-oracle.ts";
import { createAttempt, createRecord, ISSUED_AT, TOKEN } from "./records.ts";

/** Of a token of 60 s that is fresh for 30: 3 * (2 * (1 + 60 / 28) + 60 / 30). */
const BOUND_FOR_A_MINUTE = 3 * (2 * (1 + 2) + 2);

function check(attempts: readonly ExchangeAttempt[], requests: readonly RequestRecord[] = []) {
  const issued = attempts.filter(({ sha256 }) => sha256 !== null);
  return checkExchanges(attempts, requests, new Map(issued.map((attempt) => [String(attempt.sha256), attempt])), 60);
}

const attemptsInARow = (count: number, bend: Partial<ExchangeAttempt> = {}) =>
  Array.from({ length: count }, (_, index) => createAttempt({ at: ISSUED_AT + index, sha256: null, ...bend }));

const later = (seconds: number) => createAttempt({ at: ISSUED_AT + seconds * 1000, sha256: null });

describe("checkExchanges", () => {
  it.each([
    [20, 10],
    [60, 30],
    [120, 60],
    [180, 120],
    [240, 180],
    [900, 675],
  ])("expects no renewal of a token of %i s for %i s", (lifetime, fresh) => {
    expect(secondsBeforeRenewal(lifetime)).toBe(fresh);
  });

  it("allows the exchanges that the life of a token explains, and no more", () => {
    expect(check(attemptsInARow(BOUND_FOR_A_MINUTE))).toMatchObject({ bound: BOUND_FOR_A_MINUTE, failures: [] });
    expect(check(attemptsInARow(BOUND_FOR_A_MINUTE + 1)).failures).toMatchObject([{ check: "exchanges" }]);
  });

  it("allows three more exchanges for each request that failed or rejected a token", () => {
    const left = createRecord({ ending: "left", token: undefined });
    const stale = createRecord({ ending: "stale" });
    const rejecting = createRecord({}, {}, { rejectedToken: TOKEN });
    const other = createRecord({ ending: "left", token: undefined }, {}, { user: "grace" });
    const { bound } = check(attemptsInARow(1), [left, stale, rejecting, createRecord(), other]);
    expect(bound).toBe(BOUND_FOR_A_MINUTE + 9);
  });

  it("counts exchanges of each isolate, user and duration separately", () => {
    const ofThree = [{}, { place: 1 }, { user: undefined }].flatMap((bend) => attemptsInARow(20, bend));
    expect(check(ofThree)).toMatchObject({ attempts: 60, bound: 3 * BOUND_FOR_A_MINUTE, failures: [] });
  });

  it("does not count exchanges that no Worker made", () => {
    expect(check(attemptsInARow(100, { place: -1 }))).toMatchObject({ attempts: 0, failures: [] });
  });

  it("finds an exchange of an isolate that has served a fresh token", () => {
    expect(check([createAttempt(), later(20)], [createRecord()]).failures).toMatchObject([{ requestId: "soak-1" }]);
  });

  it("allows an exchange before the token was served, or once it is no longer fresh", () => {
    expect(check([createAttempt(), later(0.5), later(29)], [createRecord()]).failures).toEqual([]);
  });

  it("allows an exchange of another isolate than the one that served a fresh token", () => {
    expect(check([createAttempt(), { ...later(20), place: 1 }], [createRecord()]).failures).toEqual([]);
  });

  it("allows an exchange after the token was rejected or served stale", () => {
    const rejecting = createRecord({ sentAt: ISSUED_AT + 19_000, token: undefined }, {}, { rejectedToken: TOKEN });
    expect(check([createAttempt(), later(20)], [createRecord(), rejecting]).failures).toEqual([]);
    expect(check([createAttempt(), later(20)], [createRecord({ ending: "stale" })]).failures).toEqual([]);
  });
});
