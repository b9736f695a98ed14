import { describe, expect, it, vi } from "vitest";
import { createSingleFlight } from "../../../src/core/single-flight.ts";
import { TokenError } from "../../../src/core/token-error.ts";

const LIFETIME_MS = 1000;
const outcome = new TokenError("upstream_timeout", "an outcome of the work");

/** SingleFlight in a world whose clock and timers only the test moves. */
function createWorld() {
  let nowMs = 0;
  const timers = new Set<{ readonly at: number; readonly ring: () => void }>();
  const waiting: Promise<unknown>[] = [];
  const flights = createSingleFlight<string>(LIFETIME_MS, {
    now: () => nowMs,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        const timer = { at: nowMs + milliseconds, ring: resolve };
        timers.add(timer);
        signal.addEventListener("abort", () => timers.delete(timer));
      }),
  });
  return {
    flights,
    timers,
    waitUntil: (work: Promise<unknown>) => void waiting.push(work),
    landed: () => Promise.all(waiting),
    advance(milliseconds: number) {
      nowMs += milliseconds;
      for (const timer of [...timers].filter(({ at }) => at <= nowMs)) timer.ring();
    },
  };
}

describe("flights", () => {
  it("give the result of one piece of work to all who follow it, and then forget it", async () => {
    const { flights, waitUntil, landed, timers } = createWorld();
    const work = Promise.withResolvers<string>();
    const leader = flights.start("key", () => work.promise, waitUntil);
    const followers = [flights.join("key"), flights.join("key")];
    expect(flights.isUnderWay("key")).toBe(true);
    expect(flights.isUnderWay("another")).toBe(false);

    work.resolve("token");
    expect(await Promise.all([leader, ...followers])).toEqual(["token", "token", "token"]);
    await landed();
    expect(flights.isUnderWay("key")).toBe(false);
    expect(timers.size).toBe(0);
  });

  it("have nobody to follow where no work is under way", async () => {
    expect(await createWorld().flights.join("key")).toBeUndefined();
  });

  it("give the work's own error to all who follow, and begin afresh with the next", async () => {
    const { flights, waitUntil, landed, timers } = createWorld();
    const work = Promise.withResolvers<string>();
    const everybody = [flights.start("key", () => work.promise, waitUntil), flights.join("key")];
    work.reject(outcome);
    expect(await Promise.allSettled(everybody)).toEqual([
      { status: "rejected", reason: outcome },
      { status: "rejected", reason: outcome },
    ]);
    await landed();
    expect(flights.isUnderWay("key")).toBe(false);
    expect(timers.size).toBe(0);
  });

  it("let a follower go alone when the leader's promise breaks with its request", async () => {
    const { flights, waitUntil } = createWorld();
    const work = Promise.withResolvers<string>();
    const leader = flights.start("key", () => work.promise, waitUntil);
    const follower = flights.join("key");
    work.reject(new Error("created by a request that has since ended"));
    expect(await follower).toBeUndefined();
    expect(flights.isUnderWay("key")).toBe(false);
    await expect(leader).rejects.toThrow("since ended");
  });

  it("are forgotten by a follower who alone sees the leader's promise break", async () => {
    const { flights, waitUntil } = createWorld();
    const work = new Promise<string>(() => {});
    void flights.start("key", () => work, waitUntil);
    vi.spyOn(work, "then").mockImplementation((_, broken) => Promise.reject("of another request").catch(broken));
    expect(await flights.join("key")).toBeUndefined();
    expect(flights.isUnderWay("key")).toBe(false);
  });

  it("let a follower go alone when the leader's promise never settles, and are ignored from then on", async () => {
    const { flights, waitUntil, advance } = createWorld();
    void flights.start("key", () => new Promise(() => {}), waitUntil);
    advance(400);
    const follower = flights.join("key");
    advance(599);
    expect(flights.isUnderWay("key")).toBe(true);
    advance(1);
    expect(await follower).toBeUndefined();
    expect(flights.isUnderWay("key")).toBe(false);
  });

  it("let a follower go at its own deadline, and stay for the others", async () => {
    const { flights, waitUntil, advance } = createWorld();
    const work = Promise.withResolvers<string>();
    void flights.start("key", () => work.promise, waitUntil);
    const [hurried, patient] = [flights.join("key", 300), flights.join("key")];
    advance(300);
    expect(await hurried).toBeUndefined();
    expect(flights.isUnderWay("key")).toBe(true);
    work.resolve("token");
    expect(await patient).toBe("token");
  });

  it("are forgotten by a follower whose timer rings a moment early", async () => {
    const { flights, waitUntil, timers } = createWorld();
    void flights.start("key", () => new Promise(() => {}), waitUntil);
    const follower = flights.join("key");
    for (const timer of timers) timer.ring();
    expect(await follower).toBeUndefined();
    expect(flights.isUnderWay("key")).toBe(false);
  });

  it("are ignored after their deadline though nobody followed", async () => {
    const { flights, waitUntil, advance } = createWorld();
    void flights.start("key", () => new Promise(() => {}), waitUntil);
    advance(LIFETIME_MS);
    expect(flights.isUnderWay("key")).toBe(false);
    expect(await flights.join("key")).toBeUndefined();
  });

  it("do not forget a successor when a late leader lands", async () => {
    const { flights, waitUntil, advance } = createWorld();
    const late = Promise.withResolvers<string>();
    const first = flights.start("key", () => late.promise, waitUntil);
    advance(LIFETIME_MS);
    void flights.start("key", () => new Promise(() => {}), waitUntil);

    late.resolve("late");
    expect(await first).toBe("late");
    expect(flights.isUnderWay("key")).toBe(true);
  });
});
