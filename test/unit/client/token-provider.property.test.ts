import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createTokenProvider } from "../../../src/client/client.ts";
import { type SimulatedRequest, simulateService, type Treatment } from "../../support/simulated-service.ts";

type Step =
  | { readonly do: "wait"; readonly ms: number }
  /** The clock of the machine jumps: while it slept, or because somebody set it back. */
  | { readonly do: "jump"; readonly ms: number }
  | {
      readonly do: "ask";
      readonly userId: string;
      readonly minSeconds: number | undefined;
      readonly rejects: "none" | "last" | "older";
      readonly leavesAfterMs: number | undefined;
    };

type Plan = {
  readonly steps: readonly Step[];
  readonly treatments: readonly Treatment[];
  /** What `Math.random` returns. */
  readonly random: number;
  /** Whether jumps are sleeps. Sleeping and setting the clock back by the same time would look like nothing. */
  readonly sleeps: boolean;
  readonly hasSteadyClock: boolean;
};

/** One call, from its start on. Times are milliseconds of real time. */
type Call = {
  readonly userId: string;
  /** The tokens of this user that had been rejected when the call started, and when. */
  readonly rejected: ReadonlyMap<string, number>;
  settledAt?: number;
  token?: string;
  isLate?: boolean;
};

const ask: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("ask" as const),
  userId: fc.constantFrom("ada", "ada", "bob"),
  minSeconds: fc.constantFrom(undefined, undefined, 30, 300, 1e9),
  rejects: fc.constantFrom("none" as const, "none" as const, "last" as const, "older" as const),
  leavesAfterMs: fc.constantFrom(undefined, undefined, undefined, 0, 300),
});
const wait: fc.Arbitrary<Step> = fc
  .oneof(fc.nat(2000), fc.nat(20_000), fc.nat(300_000))
  .map((ms) => ({ do: "wait", ms }));
const jump: fc.Arbitrary<Step> = fc.oneof(fc.nat(5000), fc.nat(3_600_000)).map((ms) => ({ do: "jump", ms }));
const treatment: fc.Arbitrary<Treatment> = fc.record({
  ms: fc.oneof(fc.nat(300), fc.nat(16_000)),
  outcome: fc.oneof(
    { weight: 5, arbitrary: fc.constant("issues" as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Treatment["outcome"][]>("is down", "limits", "drops", "refuses", "is broken", "hangs"),
    },
  ),
  ttlSeconds: fc.constantFrom(3, 12, 60, 300, 900),
  retryAfterSeconds: fc.constantFrom(0, 0, 0, 2, 60),
});
const plan: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(
    fc.oneof({ weight: 10, arbitrary: ask }, { weight: 8, arbitrary: wait }, { weight: 1, arbitrary: jump }),
    { maxLength: 60, size: "max" },
  ),
  treatments: fc.array(treatment, { minLength: 1, maxLength: 12 }),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  sleeps: fc.boolean(),
  hasSteadyClock: fc.boolean(),
});

/** Longer than any call: a minute of requests and pauses, and another's load before it. */
const LONG_MS = 600_000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("whatever comes, a token provider", () => {
  it("returns no expired token, and none of another user", async () => {
    await forAnyPlan(({ calls, issued }) => {
      for (const { userId, token, isLate } of calls.filter((call) => call.token !== undefined)) {
        expect(isLate).toBe(false);
        expect(issued.get(token ?? "")?.userId).toBe(userId);
      }
    });
  });

  it("settles every call, and leaves no timer behind", async () => {
    await forAnyPlan(({ calls, timersLeft }) => {
      expect(calls.filter(({ settledAt }) => settledAt === undefined)).toEqual([]);
      expect(timersLeft).toBe(0);
    });
  });

  it("sends at most one request at a time for a user", async () => {
    await forAnyPlan(({ requests }) => {
      for (const [earlier, later] of pairsOfUser(requests)) {
        expect(later.startedAt).toBeGreaterThanOrEqual(earlier.endedAt ?? Number.POSITIVE_INFINITY);
      }
    });
  });

  it("makes no request before its backoff and Retry-After are over", async () => {
    await forAnyPlan(({ requests, plan }) => {
      const failures = new Map<string, number>();
      for (const [earlier, later] of pairsOfUser(requests)) {
        const count = failures.get(earlier.userId) ?? 0;
        // A token that had ended on arrival is a failure too, which only asks for more patience than is checked here.
        failures.set(earlier.userId, earlier.token === undefined ? count + 1 : 0);
        if (!mayPass(earlier)) continue;
        const backoffMs = plan.random * Math.min(30_000, 500 * 2 ** count);
        const retryAfterMs = earlier.timedOut || earlier.outcome === "drops" ? 0 : earlier.retryAfterSeconds * 1000;
        expect(later.startedAt - (earlier.endedAt ?? 0)).toBeGreaterThanOrEqual(
          Math.max(backoffMs, retryAfterMs) - 0.01,
        );
      }
    });
  });

  it("returns no rejected token unless the service insists", async () => {
    await forAnyPlan(({ calls, requests }) => {
      for (const { rejected, token = "" } of calls) {
        const rejectedAt = rejected.get(token);
        if (rejectedAt === undefined) continue;
        const responses = requests.filter(({ endedAt = 0 }) => endedAt >= rejectedAt);
        expect(responses.some((response) => response.token === token && response.rejectedToken === token)).toBe(true);
      }
    });
  });
});

type Run = {
  readonly plan: Plan;
  readonly calls: readonly Call[];
  readonly requests: readonly SimulatedRequest[];
  readonly issued: ReturnType<typeof simulateService>["issued"];
  readonly timersLeft: number;
};

async function forAnyPlan(check: (run: Run) => void): Promise<void> {
  await fc.assert(
    fc.asyncProperty(plan, async (anyPlan) => {
      // Without a steady clock a clock that is set back ends pauses, as it must.
      const { hasSteadyClock, sleeps } = anyPlan;
      check(await run({ ...anyPlan, hasSteadyClock: hasSteadyClock || !sleeps }));
    }),
    { numRuns: 200 },
  );
}

async function run(plan: Plan): Promise<Run> {
  // Each run has clocks of its own.
  vi.useRealTimers();
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(plan.random);
  const steady = performance;
  const startedAt = steady.now();
  let sleptMs = 0;
  const now = () => steady.now() - startedAt + sleptMs;
  if (!plan.hasSteadyClock) vi.stubGlobal("performance", undefined);

  const service = simulateService(plan.treatments, now);
  let userId = "";
  const getToken = createTokenProvider({
    endpoint: "https://token.example.com",
    userId: () => userId,
    fetch: service.fetch,
  });
  const calls: Call[] = [];
  const rejected = new Map<string, Map<string, number>>();

  for (const step of plan.steps) {
    if (step.do === "wait") {
      await vi.advanceTimersByTimeAsync(step.ms);
    } else if (step.do === "jump") {
      if (plan.sleeps) sleptMs += step.ms;
      vi.setSystemTime(Date.now() + (plan.sleeps ? step.ms : -step.ms));
    } else {
      userId = step.userId;
      const held = calls.filter((call) => call.userId === step.userId && call.token !== undefined);
      const rejectedToken = { none: undefined, last: held.at(-1)?.token, older: held.at(-3)?.token }[step.rejects];
      const mine = rejected.get(step.userId) ?? new Map<string, number>();
      rejected.set(step.userId, mine);
      // Only the current token counts as rejected: another has been replaced before.
      if (rejectedToken !== undefined && step.rejects === "last") mine.set(rejectedToken, now());

      const controller = new AbortController();
      const call: Call = { userId, rejected: new Map(mine) };
      calls.push(call);
      const settle = (token?: string) => {
        call.settledAt = now();
        if (token === undefined) return;
        call.token = token;
        call.isLate = (service.issued.get(token)?.endsAt ?? 0) <= now();
      };
      getToken({ minSeconds: step.minSeconds, rejectedToken, signal: controller.signal }).then(settle, () => settle());
      if (step.leavesAfterMs !== undefined) setTimeout(() => controller.abort(), step.leavesAfterMs);
    }
  }
  await vi.advanceTimersByTimeAsync(LONG_MS);
  vi.unstubAllGlobals();
  return { plan, calls, requests: service.requests, issued: service.issued, timersLeft: vi.getTimerCount() };
}

/** Each request with the one before it for the same user. */
function pairsOfUser(
  requests: readonly SimulatedRequest[],
): readonly (readonly [SimulatedRequest, SimulatedRequest])[] {
  return requests.flatMap((later, index) => {
    const earlier = requests.slice(0, index).findLast(({ userId }) => userId === later.userId);
    return earlier === undefined ? [] : [[earlier, later] as const];
  });
}

function mayPass({ outcome, timedOut }: SimulatedRequest): boolean {
  return timedOut === true || outcome === "is down" || outcome === "limits" || outcome === "drops";
}
