import { beforeEach, describe, expect, it } from "vitest";
import type { AccessToken } from "../../../src/core/token/token.ts";
import { createSimulatedKv, type SimulatedKv } from "../../../tools/simulate/simulated-kv.ts";
import { createVirtualClock, type VirtualClock } from "../../../tools/simulate/virtual-clock.ts";

const START = 1_000_000;

let clock: VirtualClock;
let kv: SimulatedKv;

beforeEach(() => {
  clock = createVirtualClock(START);
  kv = createSimulatedKv(clock, 60);
});

const tokenNamed = (accessToken: string, seconds = 900): AccessToken => ({
  accessToken,
  issuedAt: START / 1000,
  expiresAt: START / 1000 + seconds,
  digests: { token: "", user: undefined },
});

/** Moves the clock to so many seconds after the start, and then does something, however long it takes. */
async function at<Result>(seconds: number, work: () => Promise<Result>): Promise<Result> {
  await clock.advanceTo(START + seconds * 1000);
  const result = work();
  await clock.advanceTo(clock.now() + 500);
  return result;
}

const readAt = (seconds: number, location: number) =>
  at(seconds, async () => (await kv.storeAt(location).open("key")).token?.accessToken);

const writeAt = (seconds: number, location: number, token: AccessToken) =>
  at(seconds, async () => (await kv.storeAt(location).open("key")).write(token));

describe("simulated KV", () => {
  it("shows a write to its own location at once", async () => {
    await writeAt(0, 1, tokenNamed("a"));
    expect(await readAt(1, 1)).toBe("a");
  });

  it("shows a write to other locations after the propagation", async () => {
    await writeAt(0, 1, tokenNamed("a"));
    expect(await readAt(61, 2)).toBe("a");
  });

  it("hides a write that is not yet propagated from other locations", async () => {
    await writeAt(0, 1, tokenNamed("a"));
    expect(await readAt(59, 2)).toBeUndefined();
  });

  it("caches a miss for a minute, though the write is propagated by then", async () => {
    await writeAt(0, 1, tokenNamed("a"));
    await readAt(50, 2);
    expect(await readAt(109, 2)).toBeUndefined();
    expect(await readAt(111, 2)).toBe("a");
  });

  it("caches an old token for a minute, though a new one is propagated by then", async () => {
    await writeAt(0, 1, tokenNamed("a"));
    await writeAt(100, 1, tokenNamed("b"));
    expect(await readAt(155, 2)).toBe("a");
    expect(await readAt(214, 2)).toBe("a");
    expect(await readAt(216, 2)).toBe("b");
  });

  it("refuses a second write to a key within a second", async () => {
    kv = createSimulatedKv(clock, 0);
    await writeAt(0, 1, tokenNamed("a"));
    await writeAt(0.8, 1, tokenNamed("b"));
    expect(await readAt(70, 1)).toBe("a");
    expect(kv.counts).toMatchObject({ writes: 1, refusedWrites: 1 });
  });

  it("finds no token that has expired, and counts the read all the same", async () => {
    await writeAt(0, 1, tokenNamed("a", 120));
    expect(await readAt(121, 1)).toBeUndefined();
    expect(kv.counts.reads).toBe(2);
  });

  it("does not take a token that expires within a minute", async () => {
    await writeAt(0, 1, tokenNamed("a", 59));
    expect(kv.counts.writes).toBe(0);
  });
});
