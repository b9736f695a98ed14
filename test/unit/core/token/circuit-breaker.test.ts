import { describe, expect, it } from "vitest";
import { type Attempt, createCircuitBreaker } from "../../../../src/core/token/circuit-breaker.ts";
import { TokenError } from "../../../../src/core/token-error.ts";

const ATTEMPT_TIMEOUT_MS = 5000;
/** Until then an attempt on a lease keeps the others out. */
const LEASE_MS = 6000;

/** A circuit breaker with a clock that only the test moves. */
function createWorld({ random = 0 } = {}) {
  const logged: unknown[] = [];
  const clock = { nowMs: 1_700_000_000_000 };
  const circuit = createCircuitBreaker({
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
    now: () => clock.nowMs,
    random: () => random,
    log: (level, event, facts) => logged.push({ level, event, ...facts }),
  });
  return {
    circuit,
    logged,
    laterBy(milliseconds: number) {
      clock.nowMs += milliseconds;
    },
    /** Seconds after which another try makes sense, or 0 when one is admitted now. */
    retryAfter(): number {
      try {
        circuit.check();
        return 0;
      } catch (error) {
        return error instanceof TokenError ? (error.details.retryAfterSeconds ?? Number.NaN) : Number.NaN;
      }
    },
    fail(times: number, retryAfterSeconds?: number) {
      for (let failures = 0; failures < times; failures += 1) circuit.admit().failed(retryAfterSeconds);
    },
  };
}

/** A world whose circuit has been opened, and whose pause of 1.25 s is over. */
function createTrialWorld() {
  const world = createWorld();
  world.fail(5);
  world.laterBy(1250);
  return world;
}

describe("a closed circuit", () => {
  it("opens the circuit after five failures in a row", () => {
    const world = createWorld();
    world.fail(4);
    expect(world.retryAfter()).toBe(0);
    world.fail(1);
    expect(world.retryAfter()).toBe(2);
  });

  it("counts failures from zero again after a response", () => {
    const world = createWorld();
    world.fail(4);
    world.circuit.admit().responded();
    world.fail(4);
    expect(world.retryAfter()).toBe(0);
  });

  it("counts a released attempt neither as failed nor as successful", () => {
    const world = createWorld();
    world.fail(4);
    world.circuit.admit().released();
    expect(world.retryAfter()).toBe(0);
    world.fail(1);
    expect(world.retryAfter()).toBe(2);
  });

  it("admits any number of attempts at once while the circuit is closed", () => {
    const { circuit } = createWorld();
    expect(Array.from({ length: 100 }, () => circuit.admit())).toHaveLength(100);
  });
});

describe("an open circuit", () => {
  it("refuses attempts with the last Coze error and cause, and says when to try again", () => {
    const world = createWorld();
    world.fail(5);
    const cause = new Error("network away");
    const lastError = new TokenError("upstream_timeout", "slow", { coze: { status: 500 }, cause });
    for (const ask of [world.circuit.check, world.circuit.admit]) {
      expect(() => ask(lastError)).toThrow(
        expect.objectContaining({
          name: "TokenError",
          cause,
          code: "upstream_unavailable",
          details: { retryAfterSeconds: 2, coze: { status: 500 }, cause },
        }),
      );
    }
  });

  it.each([
    ["1.25 s at first", 0, 1250],
    ["a fifth less at random", 0.999_999, 1001],
  ])("keeps the circuit open for %s", (_what, random, pauseMs) => {
    const world = createWorld({ random });
    world.fail(5);
    world.laterBy(pauseMs - 2);
    expect(world.retryAfter()).toBe(1);
    world.laterBy(2);
    expect(world.retryAfter()).toBe(0);
  });

  it.each([
    ["as long as Coze asks for", 60, 60],
    ["its own pause where Coze asks for less", 1, 2],
  ])("keeps the circuit open for %s", (_what, retryAfterSeconds, pauseSeconds) => {
    const world = createWorld();
    world.fail(5, retryAfterSeconds);
    expect(world.retryAfter()).toBe(pauseSeconds);
  });

  it("ignores how attempts end that began before the circuit opened", () => {
    const world = createWorld();
    const [early, late] = [world.circuit.admit(), world.circuit.admit()];
    world.fail(5);
    early.responded();
    late.failed(3600);
    expect(world.retryAfter()).toBe(2);
    world.laterBy(1250);
    expect(world.retryAfter()).toBe(0);
  });
});

describe("a circuit whose pause is over", () => {
  it("admits one attempt once the pause is over, and no other until that ends", () => {
    const world = createTrialWorld();
    const trial = world.circuit.admit();
    expect(world.retryAfter()).toBe(LEASE_MS / 1000);
    trial.responded();
    expect(world.retryAfter()).toBe(0);
  });

  it("does not use up the attempt after a pause by a mere check", () => {
    const world = createTrialWorld();
    world.circuit.check();
    expect(world.retryAfter()).toBe(0);
  });

  it("admits the next attempt when the one on lease is released or lost", () => {
    const world = createTrialWorld();
    world.circuit.admit().released();
    const lost = world.circuit.admit();
    world.laterBy(LEASE_MS - 1);
    expect(world.retryAfter()).toBe(1);
    world.laterBy(1);
    const next = world.circuit.admit();

    for (const end of [lost.responded, lost.failed, lost.released]) end();
    expect(world.retryAfter()).toBe(LEASE_MS / 1000);
    next.responded();
    expect(world.retryAfter()).toBe(0);
  });

  it("counts an attempt whose lease has run out, as long as no other has taken its place", () => {
    const world = createTrialWorld();
    const late = world.circuit.admit();
    world.laterBy(LEASE_MS);
    late.failed();
    expect(world.retryAfter()).toBe(3);
  });

  it("doubles the pause with each failure up to half a minute, and starts over once the circuit closes", () => {
    const world = createWorld();
    world.fail(5);
    const pauses = Array.from({ length: 7 }, () => {
      const pause = world.retryAfter();
      world.laterBy(pause * 1000);
      world.fail(1);
      return pause;
    });
    expect(pauses).toEqual([2, 3, 5, 10, 20, 30, 30]);

    world.laterBy(30_000);
    world.circuit.admit().responded();
    world.fail(4);
    expect(world.retryAfter()).toBe(0);
    world.fail(1);
    expect(world.retryAfter()).toBe(2);
  });

  it("ignores attempts from before the circuit opened, even once it has closed again", () => {
    const world = createWorld();
    const early: Attempt[] = Array.from({ length: 5 }, () => world.circuit.admit());
    world.fail(5);
    world.laterBy(1250);
    world.circuit.admit().responded();
    for (const attempt of early) attempt.failed();
    expect(world.retryAfter()).toBe(0);
  });
});

it("logs once that an outage begins, and once that it ends", () => {
  const world = createWorld();
  world.circuit.admit().responded();
  world.fail(5);
  world.laterBy(1250);
  world.fail(1);
  world.laterBy(2500);
  const opened = { level: "warn", event: "circuit_opened", retry_after: 2 };
  expect(world.logged).toEqual([opened]);

  world.circuit.admit().responded();
  world.circuit.admit().responded();
  expect(world.logged).toEqual([opened, { level: "info", event: "circuit_closed" }]);
});
