import { describe, expect, it } from "vitest";
import type { AssertionClaims } from "../../src/core/assertion.ts";
import { EXCHANGE_BUDGET_MS, type Exchanged, type ExchangePorts, exchange } from "../../src/core/exchange.ts";
import type { Grant } from "../../src/core/grant.ts";
import type { IssuedToken } from "../../src/core/issued-token.ts";
import { TokenError } from "../../src/core/token-error.ts";

const START_MS = 1_700_000_000_500;
const grant: Grant = { userId: "ada", durationSeconds: 900, scope: undefined };
const settings = {
  clientId: "1127",
  audience: "api.coze.cn",
  assertionDurationSeconds: 600,
  upstreamTimeoutMs: 5000,
};
const token: IssuedToken = {
  accessToken: "t",
  issuedAt: 1_700_000_000,
  expiresAt: 1_700_000_900,
  logNames: { token: "t", user: undefined },
};

const unavailable = (retryAfterSeconds?: number) =>
  new TokenError("upstream_unavailable", "busy", retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
const unknownKey = new TokenError("upstream_rejected", "unknown key", {
  coze: { status: 401, error_code: "invalid_client" },
});
const timeout = new TokenError("upstream_timeout", "slow");

/** A Coze that answers each attempt with the next outcome, after `costMs`, in a world whose clock only it moves. */
function worldWith(
  outcomes: readonly (IssuedToken | Error)[],
  { costMs = 10, random = 0.5, hasPreviousKey = false } = {},
) {
  const remaining = [...outcomes];
  const signed: AssertionClaims[] = [];
  const timeouts: number[] = [];
  const pauses: number[] = [];
  let nowMs = START_MS;
  let ids = 0;
  const assertions: string[] = [];
  const logged: unknown[] = [];
  const signAs = (key: string) => async (claims: AssertionClaims) => {
    signed.push(claims);
    nowMs += 3;
    return `${key} ${claims.jti}`;
  };
  const ports: ExchangePorts = {
    sign: signAs("current"),
    signWithPrevious: hasPreviousKey ? signAs("previous") : undefined,
    requestToken: async (assertion, _grant, timeoutMs) => {
      assertions.push(assertion);
      timeouts.push(timeoutMs);
      nowMs += Math.min(costMs, timeoutMs);
      const outcome = remaining.shift();
      if (outcome instanceof Error) throw outcome;
      if (outcome === undefined) throw new Error("one attempt too many");
      return { token: outcome, logId: "log id" };
    },
    log: (level, event, facts) => logged.push({ level, event, ...facts }),
    now: () => nowMs,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds);
      nowMs += milliseconds;
    },
    random: () => random,
    createId: () => {
      ids += 1;
      return `id ${ids}`;
    },
  };
  return { ports, signed, assertions, logged, timeouts, pauses, ids: () => ids, elapsedMs: () => nowMs - START_MS };
}

describe("exchange", () => {
  it("signs the claims of the grant and answers with the token", async () => {
    const world = worldWith([token]);
    expect(await exchange(grant, settings, world.ports)).toEqual({ token, logId: "log id", signMs: 3, upstreamMs: 10 });
    expect(world.signed).toEqual([
      { iss: "1127", aud: "api.coze.cn", iat: 1_700_000_000, exp: 1_700_000_600, jti: "id 1", session_name: "ada" },
    ]);
    expect(world.timeouts).toEqual([5000]);
  });

  it("tries twice more, with a new assertion each time and full jitter between", async () => {
    const world = worldWith([unavailable(), timeout, token]);
    expect(await exchange(grant, settings, world.ports)).toMatchObject({ token, signMs: 9, upstreamMs: 30 });
    expect(world.signed.map(({ jti }) => jti)).toEqual(["id 1", "id 2", "id 3"]);
    expect(world.pauses).toEqual([100, 200]);
  });

  it("ends with the error of the third attempt", async () => {
    const world = worldWith([unavailable(), unavailable(), timeout, token]);
    await expect(exchange(grant, settings, world.ports)).rejects.toBe(timeout);
  });

  it.each([
    new TokenError("upstream_rejected", "no"),
    new TokenError("upstream_invalid_response", "what"),
    new Error("a bug"),
  ])("does not repeat what will not change: %s", async (error) => {
    const world = worldWith([error, token]);
    await expect(exchange(grant, settings, world.ports)).rejects.toBe(error);
    expect(world.pauses).toEqual([]);
  });

  it("waits as long as Coze asks for", async () => {
    const world = worldWith([unavailable(3), token]);
    await exchange(grant, settings, world.ports);
    expect(world.pauses).toEqual([3000]);
  });

  it("does not wait past its budget", async () => {
    const busy = unavailable(60);
    const world = worldWith([busy, token]);
    await expect(exchange(grant, settings, world.ports)).rejects.toBe(busy);
    expect(world.pauses).toEqual([]);
  });

  it("gives the last attempt what is left of the budget", async () => {
    const world = worldWith([timeout, timeout, token], { costMs: 5000, random: 0 });
    await expect(exchange(grant, { ...settings, upstreamTimeoutMs: 6000 }, world.ports)).rejects.toBe(timeout);
    expect(world.timeouts).toEqual([6000, 4994]);
    expect(world.elapsedMs()).toBeLessThanOrEqual(EXCHANGE_BUDGET_MS);
  });

  it("does not sign with a previous key that is not there", async () => {
    const world = worldWith([unknownKey, token]);
    await expect(exchange(grant, settings, world.ports)).rejects.toBe(unknownKey);
    expect(world.ids()).toBe(1);
  });

  it("tries the previous key once when Coze does not know the current one, and logs it", async () => {
    const world = worldWith([unavailable(), unknownKey, token], { hasPreviousKey: true });
    const { token: issued }: Exchanged = await exchange(grant, settings, world.ports);
    expect(issued).toBe(token);
    expect(world.assertions).toEqual(["current id 1", "current id 2", "previous id 3"]);
    expect(world.logged).toEqual([
      {
        level: "warn",
        event: "previous_key_used",
        description: "unknown key",
        coze: { status: 401, error_code: "invalid_client" },
      },
    ]);
  });

  it.each([unknownKey, unavailable(), timeout])(
    "ends with the refusal of the current key when the previous fails: %s",
    async (error) => {
      const world = worldWith([unknownKey, error, token], { hasPreviousKey: true });
      await expect(exchange(grant, settings, world.ports)).rejects.toBe(unknownKey);
      expect(world.assertions).toEqual(["current id 1", "previous id 2"]);
      expect(world.logged).toEqual([]);
    },
  );

  it("does not try the previous key for any other refusal", async () => {
    const denied = new TokenError("upstream_rejected", "no", { coze: { status: 403, error_code: "access_deny" } });
    const world = worldWith([denied, token], { hasPreviousKey: true });
    await expect(exchange(grant, settings, world.ports)).rejects.toBe(denied);
  });
});
