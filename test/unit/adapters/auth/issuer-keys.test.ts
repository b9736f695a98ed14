import { expect, it } from "vitest";
import { createIssuerKeys } from "../../../../src/adapters/auth/issuer-keys.ts";
import type { JwtRule } from "../../../../src/core/auth/caller.ts";

const RULE: JwtRule = {
  kind: "jwt",
  issuer: "https://id.example.com",
  jwksUri: "https://id.example.com/keys",
  audience: "api",
  claims: new Map(),
  userIdClaim: "sub",
};

/** Issuer keys with a clock and timers that the test controls. The first fetch never settles, like that of a lost request. */
function createFixture() {
  let nowMs = 0;
  let fetches = 0;
  const timers: { readonly at: number; readonly ring: () => void }[] = [];
  const findKeys = createIssuerKeys({
    fetch: async () => {
      fetches += 1;
      return fetches === 1 ? new Promise<Response>(() => {}) : Response.json({ keys: [] });
    },
    now: () => nowMs,
    sleep: (milliseconds) => new Promise((ring) => timers.push({ at: nowMs + milliseconds, ring: () => ring() })),
  });
  return {
    find: (unknownKeyId?: boolean, deadline = Number.POSITIVE_INFINITY) =>
      findKeys(RULE, () => {}, deadline, unknownKeyId),
    fetches: () => fetches,
    advance(milliseconds: number) {
      nowMs += milliseconds;
      for (const { at, ring } of timers) if (at <= nowMs) ring();
    },
  };
}

it("fetches the keys of an issuer again for all waiting requests when the first fetch is lost", async () => {
  const fixture = createFixture();
  const lost = fixture.find().catch((error: unknown) => error);
  const waiting = [fixture.find(), fixture.find(), fixture.find()];
  fixture.advance(5000);
  expect(fixture.fetches()).toBe(1);
  fixture.advance(500);
  expect(await Promise.all(waiting)).toEqual(Array(3).fill({ keySet: expect.any(Function), fetchedAt: 5500 }));
  expect(fixture.fetches()).toBe(2);
  expect(await lost).toMatchObject({ code: "issuer_unavailable" });
});

it("fails to get an issuer's keys when the response is due, for requests that fetch or wait", async () => {
  const fixture = createFixture();
  const requests = [fixture.find(false, 1000), fixture.find(false, 1000)];
  fixture.advance(1000);
  const refused = { status: "rejected", reason: expect.objectContaining({ code: "issuer_unavailable" }) };
  expect(await Promise.allSettled(requests)).toEqual([refused, refused]);
  expect(fixture.fetches()).toBe(1);
});

it("does not wait for a lost fetch of an issuer's keys once its time is over", async () => {
  const fixture = createFixture();
  fixture.find().catch(() => {});
  fixture.advance(5500);
  expect(await fixture.find(true)).toMatchObject({ fetchedAt: 5500 });
  expect(fixture.fetches()).toBe(2);
});
