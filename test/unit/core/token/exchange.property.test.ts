import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AssertionClaims } from "../../../../src/core/token/assertion.ts";
import { createCircuitBreaker } from "../../../../src/core/token/circuit-breaker.ts";
import { EXCHANGE_BUDGET_MS, exchange, MAX_ATTEMPTS } from "../../../../src/core/token/exchange.ts";
import { TokenError, type TokenErrorCode, type TokenErrorDetails } from "../../../../src/core/token-error.ts";

/** How Coze takes one attempt, and how long that lasts unless less time is given. */
type Reply = { readonly ms: number; readonly outcome: "token" | TokenError };

type World = {
  readonly replies: readonly Reply[];
  readonly random: number;
  readonly upstreamTimeoutMs: number;
  readonly hasPreviousKey: boolean;
};

type Attempt = Reply & {
  readonly key: "current" | "previous";
  readonly claims: AssertionClaims;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly timeoutMs: number;
};

const START_MS = 1_700_000_000_250;
const SETTINGS = { clientId: "1127", audience: "api.coze.cn", assertionDurationSeconds: 600 };
const TOKEN = {
  accessToken: "t",
  issuedAt: 1_700_000_000,
  expiresAt: 1_700_000_900,
  digests: { token: "t", user: undefined },
};

const reply: fc.Arbitrary<Reply> = fc.record({
  ms: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 6000 })),
  outcome: fc.oneof(
    fc.constant("token" as const),
    failure("upstream_timeout", {}),
    failure("upstream_unavailable", {}),
    fc
      .integer({ min: 1, max: 12 })
      .chain((retryAfterSeconds) => failure("upstream_unavailable", { retryAfterSeconds })),
    failure("upstream_rejected", { coze: { status: 401, error_code: "invalid_client" } }),
    failure("upstream_rejected", { coze: { status: 403, error_code: "access_deny" } }),
    failure("upstream_invalid_response", {}),
  ),
});
const world: fc.Arbitrary<World> = fc.record({
  replies: fc.array(reply, { minLength: MAX_ATTEMPTS + 1, maxLength: MAX_ATTEMPTS + 1 }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  upstreamTimeoutMs: fc.integer({ min: 1, max: 10_000 }),
  hasPreviousKey: fc.boolean(),
});

describe("an exchange, whatever Coze does", () => {
  it("ends an exchange within its budget, and gives no attempt more than is left of it", async () => {
    await forAnyWorld(({ attempts, endedMs }, { upstreamTimeoutMs }) => {
      for (const { startedMs, timeoutMs } of attempts) {
        expect(timeoutMs).toBe(Math.min(upstreamTimeoutMs, START_MS + EXCHANGE_BUDGET_MS - startedMs));
      }
      expect(endedMs - START_MS).toBeLessThanOrEqual(EXCHANGE_BUDGET_MS);
    });
  });

  it("makes a new assertion for each attempt of an exchange, dated when it is made", async () => {
    await forAnyWorld(({ attempts }) => {
      expect(new Set(attempts.map(({ claims }) => claims.jti)).size).toBe(attempts.length);
      for (const { claims, startedMs } of attempts) expect(claims.iat).toBe(Math.floor(startedMs / 1000));
    });
  });

  it("repeats an attempt at Coze only if it may succeed, up to three in all, and not before Retry-After", async () => {
    await forAnyWorld(({ attempts }) => {
      const current = attempts.filter(({ key }) => key === "current");
      expect(current.length).toBeLessThanOrEqual(MAX_ATTEMPTS);
      current.slice(1).forEach(({ startedMs }, index) => {
        const { outcome: before, endedMs = 0 } = current[index] ?? {};
        expect(before).toMatchObject({ code: expect.stringMatching(/^upstream_(timeout|unavailable)$/) });
        const { retryAfterSeconds = 0 } = before instanceof TokenError ? before.details : {};
        expect(startedMs - endedMs).toBeGreaterThanOrEqual(retryAfterSeconds * 1000);
      });
    });
  });

  it("tries the previous key once, last, and only when Coze does not know the current one", async () => {
    await forAnyWorld(({ attempts }, { hasPreviousKey }) => {
      const last = attempts.findLast(({ key }) => key === "current");
      const isUnknown =
        last?.outcome instanceof TokenError && last.outcome.details.coze?.error_code === "invalid_client";
      expect(attempts.slice(attempts.indexOf(last as Attempt) + 1).map(({ key }) => key)).toEqual(
        isUnknown && hasPreviousKey ? ["previous"] : [],
      );
    });
  });

  it("ends an exchange with the token of its last attempt, or Coze's last error for the current key", async () => {
    await forAnyWorld(({ attempts, ended }) => {
      if (attempts.at(-1)?.outcome === "token") expect(ended).toMatchObject({ token: TOKEN });
      else expect(ended).toBe(attempts.findLast(({ key }) => key === "current")?.outcome);
    });
  });

  it("gives up an exchange only if it cannot succeed, was tried three times, or would not end in time", async () => {
    await forAnyWorld(({ attempts, endedMs }) => {
      const { outcome, key } = attempts.at(-1) ?? {};
      if (!(outcome instanceof TokenError) || key === "previous" || attempts.length === MAX_ATTEMPTS) return;
      if (!/timeout|unavailable/.test(outcome.code)) return;
      const longestPauseMs = Math.max((outcome.details.retryAfterSeconds ?? 0) * 1000, 200 * attempts.length);
      expect(endedMs + longestPauseMs).toBeGreaterThanOrEqual(START_MS + EXCHANGE_BUDGET_MS);
    });
  });
});

type History = Awaited<ReturnType<typeof run>>;

function forAnyWorld(check: (history: History, world: World) => void): Promise<void> {
  return fc.assert(fc.asyncProperty(world, async (one) => check(await run(one), one)));
}

/** Runs an exchange in a world whose clock only Coze and pauses move. */
async function run({ replies, random, upstreamTimeoutMs, hasPreviousKey }: World) {
  const attempts: Attempt[] = [];
  let nowMs = START_MS;
  const signAs = (key: Attempt["key"]) => async (claims: AssertionClaims) => JSON.stringify({ key, claims });

  const ended = await exchange(
    { userId: "ada", durationSeconds: 900, scope: undefined },
    async () => true,
    { ...SETTINGS, upstreamTimeoutMs },
    {
      sign: signAs("current"),
      signWithPrevious: hasPreviousKey ? signAs("previous") : undefined,
      async requestToken({ jws }, _grant, timeoutMs) {
        const { ms, outcome } = replies[attempts.length] ?? { ms: 0, outcome: "token" };
        const startedMs = nowMs;
        nowMs += Math.min(ms, timeoutMs);
        attempts.push({ ...JSON.parse(jws), ms, outcome, startedMs, endedMs: nowMs, timeoutMs });
        if (outcome !== "token") throw outcome;
        return { token: TOKEN, logId: undefined };
      },
      // It takes five failures to open one, more than an exchange makes.
      circuit: createCircuitBreaker({
        attemptTimeoutMs: upstreamTimeoutMs,
        now: () => nowMs,
        random: () => random,
        log: () => {},
      }),
      now: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
      random: () => random,
      createId: () => crypto.randomUUID(),
      log: () => {},
    },
  ).catch((error: unknown) => error);
  return { attempts, ended, endedMs: nowMs };
}

function failure(code: TokenErrorCode, details: TokenErrorDetails): fc.Arbitrary<TokenError> {
  return fc.constant(undefined).map(() => new TokenError(code, code, details));
}
