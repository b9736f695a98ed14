import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CacheAction,
  cacheActionFor,
  cachedToken,
  isFresh,
  isRejected,
  withRenewalPaused,
} from "../../../../src/core/token/freshness.ts";
import type { AccessToken } from "../../../../src/core/token/token.ts";
import * as oracle from "../../../support/freshness-oracle.ts";

const ISSUED_AT = 1_700_000_000;
const LIFE: readonly CacheAction[] = ["serve", "serve-and-renew", "renew"];

const token: fc.Arbitrary<AccessToken> = fc
  .oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 86_399 }))
  .map((lifetime) => ({
    accessToken: "t",
    issuedAt: ISSUED_AT,
    expiresAt: ISSUED_AT + lifetime,
    digests: { token: "t", user: undefined },
  }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** A token, and a moment between shortly before it was issued and shortly after its end. */
const tokenAndMoment = token.chain((one) => fc.tuple(fc.constant(one), momentAround(one)));

describe("a token since it was issued", () => {
  it("serves a token, then serves and renews it, then renews it first, and never goes back", () => {
    fc.assert(
      fc.property(tokenAndMoment, random, fc.nat(1000), ([one, moment], jitter, later) => {
        const cached = cachedToken(one, jitter);
        const places = [moment, moment + later].map((each) => LIFE.indexOf(cacheActionFor(cached, each)));
        expect(places).toEqual(places.toSorted());
        expect(places).not.toContain(-1);
      }),
      { numRuns: 500 },
    );
  });

  it("serves a token exactly while more than its reserve is left: a tenth, or a minute if short, or half", () => {
    fc.assert(
      fc.property(tokenAndMoment, random, ([one, moment], jitter) => {
        expect(isFresh(one, moment)).toBe(oracle.isFresh(one, moment));
        expect(cacheActionFor(cachedToken(one, jitter), moment) !== "renew").toBe(isFresh(one, moment));
      }),
      { numRuns: 500 },
    );
  });

  it("serves and renews a token from a moment on between 75 and 77.5 % of its lifetime", () => {
    fc.assert(
      fc.property(tokenAndMoment, random, ([one, moment], jitter) => {
        const action = cacheActionFor(cachedToken(one, jitter), moment);
        const lived = (moment - one.issuedAt) / (one.expiresAt - one.issuedAt);
        if (lived < 0.75) expect(action).not.toBe("serve-and-renew");
        if (lived > 0.775) expect(action).not.toBe("serve");
      }),
      { numRuns: 500 },
    );
  });
});

it("serves a token whose renewal failed without another attempt for 30 seconds, or until 5 before its end", () => {
  const failure = tokenAndMoment.filter(([one, moment]) => oracle.isUsable(one, moment));
  fc.assert(
    fc.property(failure, fc.nat(40), ([one, failedAt], later) => {
      const moment = failedAt + later;
      const isAtRest = moment < Math.min(failedAt + 30, one.expiresAt - 5);
      const [resting, due] = oracle.isFresh(one, moment) ? ["serve", "serve-and-renew"] : ["serve-stale", "renew"];
      expect(cacheActionFor(withRenewalPaused(one, failedAt), moment)).toBe(isAtRest ? resting : due);
    }),
    { numRuns: 500 },
  );
});

it("never serves a token that has ended, whatever was decided about its renewal", () => {
  const cached = token.chain((one) =>
    fc.record({
      token: fc.constant(one),
      renewAfter: momentAround(one),
      pausedUntil: fc.oneof(fc.constant(0), momentAround(one)),
    }),
  );
  fc.assert(
    fc.property(cached, fc.nat(90_000), (one, later) => {
      expect(cacheActionFor(one, one.token.expiresAt + later)).toBe("renew");
    }),
  );
});

it("believes that a token was refused exactly when it is this one and ten seconds old", () => {
  const rejected = fc.constantFrom("t", "another", undefined);
  fc.assert(
    fc.property(token, fc.integer({ min: -5, max: 100 }), rejected, (one, age, rejectedToken) => {
      expect(isRejected(one, rejectedToken, one.issuedAt + age)).toBe(rejectedToken === "t" && age >= 10);
    }),
  );
});

function momentAround({ issuedAt, expiresAt }: AccessToken): fc.Arbitrary<number> {
  return fc.integer({ min: issuedAt - 5, max: expiresAt + 5 });
}
