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

/** A world whose clock and timers only the test moves, and whose first fetch never ends, like that of a lost request. */
function createWorld() {
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

it("fetches the keys of an issuer once more when the first fetch is lost, for all who waited for it", async () => {
  const world = createWorld();
  const lost = world.find().catch((error: unknown) => error);
  const waiting = [world.find(), world.find(), world.find()];
  world.advance(5000);
  expect(world.fetches()).toBe(1);
  world.advance(500);
  expect(await Promise.all(waiting)).toEqual(Array(3).fill({ keySet: expect.any(Function), fetchedAt: 5500 }));
  expect(world.fetches()).toBe(2);
  expect(await lost).toMatchObject({ code: "issuer_unavailable" });
});

it("lets a request go when its response is due, whether it fetches or waits", async () => {
  const world = createWorld();
  const requests = [world.find(false, 1000), world.find(false, 1000)];
  world.advance(1000);
  const refused = { status: "rejected", reason: expect.objectContaining({ code: "issuer_unavailable" }) };
  expect(await Promise.allSettled(requests)).toEqual([refused, refused]);
  expect(world.fetches()).toBe(1);
});

it("keeps nobody waiting for a lost fetch who comes after its time", async () => {
  const world = createWorld();
  world.find().catch(() => {});
  world.advance(5500);
  expect(await world.find(true)).toMatchObject({ fetchedAt: 5500 });
  expect(world.fetches()).toBe(2);
});
