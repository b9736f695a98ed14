import { describe, expect, it, vi } from "vitest";
import { createSingleFlight } from "../../../src/core/single-flight.ts";
import { TokenError } from "../../../src/core/token-error.ts";

const LIFETIME_MS = 1000;
const outcome = new TokenError("upstream_timeout", "an outcome of the work");

/** A single flight in a world whose clock and timers only the test moves. */
function createWorld() {
  let nowMs = 0;
  const timers = new Set<{ readonly at: number; readonly ring: () => void }>();
  const waiting: Promise<unknown>[] = [];
  const singleFlight = createSingleFlight<string>(LIFETIME_MS, {
    now: () => nowMs,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        const timer = { at: nowMs + milliseconds, ring: resolve };
        timers.add(timer);
        signal.addEventListener("abort", () => timers.delete(timer));
      }),
  });
  return {
    singleFlight,
    timers,
    waitUntil: (work: Promise<unknown>) => void waiting.push(work),
    landed: () => Promise.all(waiting),
    advance(milliseconds: number) {
      nowMs += milliseconds;
      for (const timer of [...timers].filter(({ at }) => at <= nowMs)) timer.ring();
    },
  };
}

describe("createSingleFlight", () => {
  it("gives the result of one piece of work to every request that joins it, and then forgets it", async () => {
    const { singleFlight, waitUntil, landed, timers } = createWorld();
    const work = Promise.withResolvers<string>();
    const first = singleFlight.start("key", () => work.promise, waitUntil);
    const joined = [singleFlight.join("key"), singleFlight.join("key")];
    expect(singleFlight.isUnderWay("key")).toBe(true);
    expect(singleFlight.isUnderWay("another")).toBe(false);

    work.resolve("token");
    expect(await Promise.all([first, ...joined])).toEqual(["token", "token", "token"]);
    await landed();
    expect(singleFlight.isUnderWay("key")).toBe(false);
    expect(timers.size).toBe(0);
  });

  it("has nothing to join while no work is under way", async () => {
    expect(await createWorld().singleFlight.join("key")).toBeUndefined();
  });

  it("gives the error of shared work to every request that joins it, and starts afresh for the next", async () => {
    const { singleFlight, waitUntil, landed, timers } = createWorld();
    const work = Promise.withResolvers<string>();
    const everybody = [singleFlight.start("key", () => work.promise, waitUntil), singleFlight.join("key")];
    work.reject(outcome);
    expect(await Promise.allSettled(everybody)).toEqual([
      { status: "rejected", reason: outcome },
      { status: "rejected", reason: outcome },
    ]);
    await landed();
    expect(singleFlight.isUnderWay("key")).toBe(false);
    expect(timers.size).toBe(0);
  });

  it("lets a request that joins work go alone when the promise breaks with the request that started it", async () => {
    const { singleFlight, waitUntil } = createWorld();
    const work = Promise.withResolvers<string>();
    const first = singleFlight.start("key", () => work.promise, waitUntil);
    const joined = singleFlight.join("key");
    work.reject(new Error("created by a request that has since ended"));
    expect(await joined).toBeUndefined();
    expect(singleFlight.isUnderWay("key")).toBe(false);
    await expect(first).rejects.toThrow("since ended");
  });

  it("forgets shared work when only a request that joins it sees its promise break", async () => {
    const { singleFlight, waitUntil } = createWorld();
    const work = new Promise<string>(() => {});
    void singleFlight.start("key", () => work, waitUntil);
    vi.spyOn(work, "then").mockImplementation((_, broken) => Promise.reject("of another request").catch(broken));
    expect(await singleFlight.join("key")).toBeUndefined();
    expect(singleFlight.isUnderWay("key")).toBe(false);
  });

  it("lets a request go alone when the work it joins never settles, and forgets that work", async () => {
    const { singleFlight, waitUntil, advance } = createWorld();
    void singleFlight.start("key", () => new Promise(() => {}), waitUntil);
    advance(400);
    const joined = singleFlight.join("key");
    advance(599);
    expect(singleFlight.isUnderWay("key")).toBe(true);
    advance(1);
    expect(await joined).toBeUndefined();
    expect(singleFlight.isUnderWay("key")).toBe(false);
  });

  it("lets a request stop waiting for shared work at its own deadline while others wait on", async () => {
    const { singleFlight, waitUntil, advance } = createWorld();
    const work = Promise.withResolvers<string>();
    void singleFlight.start("key", () => work.promise, waitUntil);
    const [hurried, patient] = [singleFlight.join("key", 300), singleFlight.join("key")];
    advance(300);
    expect(await hurried).toBeUndefined();
    expect(singleFlight.isUnderWay("key")).toBe(true);
    work.resolve("token");
    expect(await patient).toBe("token");
  });

  it("forgets shared work when the timer of a request that joins it rings a moment early", async () => {
    const { singleFlight, waitUntil, timers } = createWorld();
    void singleFlight.start("key", () => new Promise(() => {}), waitUntil);
    const joined = singleFlight.join("key");
    for (const timer of timers) timer.ring();
    expect(await joined).toBeUndefined();
    expect(singleFlight.isUnderWay("key")).toBe(false);
  });

  it("forgets shared work after its deadline even when no request joins it", async () => {
    const { singleFlight, waitUntil, advance } = createWorld();
    void singleFlight.start("key", () => new Promise(() => {}), waitUntil);
    advance(LIFETIME_MS);
    expect(singleFlight.isUnderWay("key")).toBe(false);
    expect(await singleFlight.join("key")).toBeUndefined();
  });

  it("does not forget newer work for a key when older work ends late", async () => {
    const { singleFlight, waitUntil, advance } = createWorld();
    const late = Promise.withResolvers<string>();
    const first = singleFlight.start("key", () => late.promise, waitUntil);
    advance(LIFETIME_MS);
    void singleFlight.start("key", () => new Promise(() => {}), waitUntil);

    late.resolve("late");
    expect(await first).toBe("late");
    expect(singleFlight.isUnderWay("key")).toBe(true);
  });
});
