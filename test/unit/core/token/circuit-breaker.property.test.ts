import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Attempt, createCircuitBreaker } from "../../../../src/core/token/circuit-breaker.ts";
import { TokenError } from "../../../../src/core/token-error.ts";

const ATTEMPT_TIMEOUT_MS = 5000;
const LEASE_MS = ATTEMPT_TIMEOUT_MS + 1000;
const MIN_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 3600 * 1000;
const MAX_FAILURES = 5;

type Outcome = keyof Attempt;

/** What happens next: time passes, an attempt is begun, or one of those under way ends. */
type Step =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "begin" }
  | { readonly kind: "end"; readonly which: number; readonly outcome: Outcome; readonly retryAfterSeconds: number };

type Plan = { readonly steps: readonly Step[]; readonly random: number };

type Event =
  | { readonly kind: "admitted"; readonly atMs: number; readonly id: number; readonly onLease: boolean }
  | { readonly kind: "refused"; readonly atMs: number; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: "ended"; readonly atMs: number; readonly id: number; readonly outcome: Outcome }
  | { readonly kind: "opened" | "closed"; readonly atMs: number };

const wait = fc.oneof(fc.nat(2000), fc.nat(60_000)).map((ms): Step => ({ kind: "wait", ms }));
const begin = fc.constant<Step>({ kind: "begin" });
const end = fc.record({
  kind: fc.constant("end" as const),
  which: fc.nat(20),
  outcome: fc.constantFrom<Outcome>("failed", "failed", "failed", "failed", "responded", "released"),
  retryAfterSeconds: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3600) }),
});
const plan: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(fc.oneof(wait, { weight: 3, arbitrary: begin }, { weight: 3, arbitrary: end }), {
    maxLength: 200,
    size: "max",
  }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

describe("a circuit breaker, whatever Coze does", () => {
  it("opens a circuit exactly when five attempts in a row have failed, of those that count", () => {
    forAnyPlan(({ events }) => {
      const stale = new Set<number>();
      const underWay = new Set<number>();
      let isOpen = false;
      let failures = 0;
      events.forEach((event, index) => {
        const beginsAnew = event.kind === "opened" || (event.kind === "admitted" && event.onLease);
        if (beginsAnew) for (const id of underWay) stale.add(id);
        if (event.kind === "admitted") underWay.add(event.id);
        if (event.kind === "opened" || event.kind === "closed") {
          isOpen = event.kind === "opened";
          failures = 0;
        }
        if (event.kind !== "ended") return;
        underWay.delete(event.id);
        if (isOpen || stale.has(event.id)) return;
        if (event.outcome === "responded") failures = 0;
        if (event.outcome === "failed") failures += 1;
        expect(events[index + 1]?.kind === "opened").toBe(failures === MAX_FAILURES);
      });
    });
  });

  it("admits no attempt for a second after a circuit opens, or after an attempt on lease fails", () => {
    forAnyPlan(({ events }) => {
      for (const [index, event] of events.entries()) {
        if (event.kind !== "opened" && !isFailureOfHolder(events, index)) continue;
        const next = events.slice(index).find(({ kind }) => kind === "admitted");
        expect((next?.atMs ?? Number.POSITIVE_INFINITY) - event.atMs).toBeGreaterThanOrEqual(MIN_PAUSE_MS);
      }
    });
  });

  it("admits one attempt on lease at most, unless its time is over", () => {
    forAnyPlan(({ events }) => {
      for (const [index, event] of events.entries()) {
        if (event.kind !== "admitted" || !event.onLease) continue;
        const later = events.slice(index + 1);
        const next = later.find(({ kind }) => kind === "admitted");
        const hasEnded = later.some(
          (other) => other.kind === "ended" && other.id === event.id && isBefore(other, next),
        );
        if (next !== undefined && !hasEnded) expect(next.atMs - event.atMs).toBeGreaterThanOrEqual(LEASE_MS);

        function isBefore(one: Event, other: Event | undefined): boolean {
          return other === undefined || later.indexOf(one) < later.indexOf(other);
        }
      }
    });
  });

  it("refuses attempts for a whole number of seconds, and then admits one", () => {
    forAnyPlan(({ circuit, clock, events }) => {
      for (const event of events) {
        if (event.kind !== "refused") continue;
        const { retryAfterSeconds = 0 } = event;
        expect(Number.isInteger(retryAfterSeconds)).toBe(true);
        expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
        expect(retryAfterSeconds).toBeLessThanOrEqual(MAX_PAUSE_MS / 1000);
      }
      try {
        circuit.check();
      } catch (error) {
        clock.nowMs += ((error as TokenError).details.retryAfterSeconds ?? 0) * 1000; // check throws nothing else
      }
      expect(() => circuit.admit()).not.toThrow();
    });
  });

  it("logs the opening and the closing of a circuit in turns", () => {
    forAnyPlan(({ events }) => {
      const logged = events.map(({ kind }) => kind).filter((kind) => kind === "opened" || kind === "closed");
      expect(logged).toEqual(logged.map((_kind, index) => (index % 2 === 0 ? "opened" : "closed")));
    });
  });

  it("closes a circuit for a response to the attempt on lease, and for nothing else", () => {
    forAnyPlan(({ events }) => {
      events.forEach((event, index) => {
        const isResponse = isEndOfHolder(events, index) && event.kind === "ended" && event.outcome === "responded";
        expect(events[index + 1]?.kind === "closed").toBe(isResponse);
      });
    });
  });
});

function isFailureOfHolder(events: readonly Event[], index: number): boolean {
  const event = events[index];
  return event?.kind === "ended" && event.outcome === "failed" && isEndOfHolder(events, index);
}

/** Whether the attempt that ends here was admitted last, on a lease. */
function isEndOfHolder(events: readonly Event[], index: number): boolean {
  const event = events[index];
  const last = events.slice(0, index).findLast(({ kind }) => kind === "admitted");
  return event?.kind === "ended" && last?.kind === "admitted" && last.onLease && last.id === event.id;
}

function forAnyPlan(check: (world: ReturnType<typeof run>) => void): void {
  fc.assert(fc.property(plan, (one) => check(run(one))));
}

/** Goes through a plan with a clock that only the plan moves. */
function run({ steps, random }: Plan) {
  const events: Event[] = [];
  const underWay: { readonly id: number; readonly attempt: Attempt }[] = [];
  const clock = { nowMs: 1_700_000_000_000 };
  let isOpen = false;
  const circuit = createCircuitBreaker({
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
    now: () => clock.nowMs,
    random: () => random,
    log: (_level, event) => {
      isOpen = event === "circuit_opened";
      events.push({ kind: isOpen ? "opened" : "closed", atMs: clock.nowMs });
    },
  });

  function beginAttempt(id: number): void {
    try {
      underWay.push({ id, attempt: circuit.admit() });
      events.push({ kind: "admitted", atMs: clock.nowMs, id, onLease: isOpen });
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      events.push({ kind: "refused", atMs: clock.nowMs, retryAfterSeconds: error.details.retryAfterSeconds });
    }
  }

  function endAttempt(which: number, outcome: Outcome, retryAfterSeconds: number): void {
    const [ending] = underWay.splice(which % underWay.length, 1);
    if (ending === undefined) return;
    events.push({ kind: "ended", atMs: clock.nowMs, id: ending.id, outcome });
    ending.attempt[outcome](retryAfterSeconds);
  }

  for (const [id, step] of steps.entries()) {
    if (step.kind === "wait") clock.nowMs += step.ms;
    if (step.kind === "begin") beginAttempt(id);
    if (step.kind === "end") endAttempt(step.which, step.outcome, step.retryAfterSeconds);
  }
  return { events, circuit, clock };
}
