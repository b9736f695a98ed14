import { describe, expect, it, vi } from "vitest";
import type { Grant } from "../../../../src/core/grant/grant.ts";
import type { AssertionClaims } from "../../../../src/core/token/assertion.ts";
import { createCircuitBreaker } from "../../../../src/core/token/circuit-breaker.ts";
import {
  EXCHANGE_BUDGET_MS,
  type ExchangePorts,
  type ExchangeResult,
  exchange,
} from "../../../../src/core/token/exchange.ts";
import type { AccessToken } from "../../../../src/core/token/token.ts";
import { TokenError } from "../../../../src/core/token-error.ts";

const START_MS = 1_700_000_000_500;
const grant: Grant = { userId: "ada", durationSeconds: 900, scope: undefined };
const settings = {
  clientId: "1127",
  audience: "api.coze.cn",
  assertionDurationSeconds: 600,
  upstreamTimeoutMs: 5000,
};
const unlimited = async () => true;
const token: AccessToken = {
  accessToken: "t",
  issuedAt: 1_700_000_000,
  expiresAt: 1_700_000_900,
  digests: { token: "t", user: undefined },
};

const unavailable = (retryAfterSeconds?: number) =>
  new TokenError("upstream_unavailable", "busy", retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
const unknownKey = new TokenError("upstream_rejected", "unknown key", {
  coze: { status: 401, error_code: "invalid_client" },
});
const timeout = new TokenError("upstream_timeout", "slow");

/** A Coze that responds to each attempt with the next outcome, after `costMs`, in a world whose clock only it moves. */
function worldWith(
  outcomes: readonly (AccessToken | Error)[],
  { costMs = 10, random = 0.5, hasPreviousKey = false } = {},
) {
  const remaining = [...outcomes];
  const signed: AssertionClaims[] = [];
  const timeouts: number[] = [];
  const pauses: number[] = [];
  let nowMs = START_MS;
  let ids = 0;
  const assertions: string[] = [];
  const datings: number[] = [];
  const logged: unknown[] = [];
  const log: ExchangePorts["log"] = (level, event, facts) => logged.push({ level, event, ...facts });
  const now = () => nowMs;
  const signAs = (key: string) => async (claims: AssertionClaims) => {
    signed.push(claims);
    nowMs += 3;
    return `${key} ${claims.jti}`;
  };
  const ports: ExchangePorts = {
    sign: signAs("current"),
    signWithPrevious: hasPreviousKey ? signAs("previous") : undefined,
    requestToken: async ({ jws, issuedAt }, _grant, timeoutMs) => {
      assertions.push(jws);
      datings.push(issuedAt);
      timeouts.push(timeoutMs);
      nowMs += Math.min(costMs, timeoutMs);
      const outcome = remaining.shift();
      if (outcome instanceof Error) throw outcome;
      if (outcome === undefined) throw new Error("one attempt too many");
      return { token: outcome, logId: "log id" };
    },
    circuit: createCircuitBreaker({ attemptTimeoutMs: settings.upstreamTimeoutMs, now, random: () => 0, log }),
    log,
    now,
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
  return {
    ports,
    signed,
    assertions,
    datings,
    logged,
    timeouts,
    pauses,
    ids: () => ids,
    elapsedMs: () => nowMs - START_MS,
    laterBy(milliseconds: number) {
      nowMs += milliseconds;
    },
  };
}

describe("exchange", () => {
  it("signs the claims of the grant and returns the token from Coze", async () => {
    const world = worldWith([token]);
    expect(await exchange(grant, unlimited, settings, world.ports)).toEqual({
      token,
      logId: "log id",
      signMs: 3,
      upstreamMs: 10,
      attempts: 1,
    });
    expect(world.signed).toEqual([
      { iss: "1127", aud: "api.coze.cn", iat: 1_700_000_000, exp: 1_700_000_600, jti: "id 1", session_name: "ada" },
    ]);
    expect(world.datings).toEqual([1_700_000_000]);
    expect(world.timeouts).toEqual([5000]);
  });

  it("repeats a failed attempt at Coze twice, with a new assertion each time and full jitter between", async () => {
    const world = worldWith([unavailable(), timeout, token]);
    expect(await exchange(grant, unlimited, settings, world.ports)).toMatchObject({
      token,
      signMs: 9,
      upstreamMs: 30,
      attempts: 3,
    });
    expect(world.signed.map(({ jti }) => jti)).toEqual(["id 1", "id 2", "id 3"]);
    expect(world.pauses).toEqual([100, 200]);
  });

  it("ends an exchange with the error of the third attempt", async () => {
    const world = worldWith([unavailable(), unavailable(), timeout, token]);
    await expect(exchange(grant, unlimited, settings, world.ports)).rejects.toBe(timeout);
  });

  it.each([
    new TokenError("upstream_rejected", "no"),
    new TokenError("upstream_invalid_response", "what"),
    new Error("a bug"),
  ])("does not repeat an attempt whose error will not change: %s", async (error) => {
    const world = worldWith([error, token]);
    await expect(exchange(grant, unlimited, settings, world.ports)).rejects.toBe(error);
    expect(world.pauses).toEqual([]);
  });

  it("waits before the next attempt as long as Coze's Retry-After says, and dates the new assertion then", async () => {
    const world = worldWith([unavailable(3), token]);
    await exchange(grant, unlimited, settings, world.ports);
    expect(world.pauses).toEqual([3000]);
    expect(world.signed.map(({ iat }) => iat)).toEqual([1_700_000_000, 1_700_000_003]);
  });

  it("does not wait for another attempt past the budget of the exchange", async () => {
    const busy = unavailable(60);
    const world = worldWith([busy, token]);
    await expect(exchange(grant, unlimited, settings, world.ports)).rejects.toBe(busy);
    expect(world.pauses).toEqual([]);
  });

  it("gives the last attempt of an exchange what is left of the budget", async () => {
    const world = worldWith([timeout, timeout, token], { costMs: 5000, random: 0 });
    await expect(exchange(grant, unlimited, { ...settings, upstreamTimeoutMs: 6000 }, world.ports)).rejects.toBe(
      timeout,
    );
    expect(world.timeouts).toEqual([6000, 4994]);
    expect(world.elapsedMs()).toBeLessThanOrEqual(EXCHANGE_BUDGET_MS);
  });

  it("gives an attempt no time, never less, when the pause before it ended after the budget", async () => {
    const world = worldWith([unavailable(9), timeout]);
    const oversleep = async (milliseconds: number) => world.laterBy(milliseconds + 1500);
    await expect(exchange(grant, unlimited, settings, { ...world.ports, sleep: oversleep })).rejects.toBe(timeout);
    expect(world.timeouts).toEqual([5000, 0]);
  });

  it("ends with Coze's error for an unknown key when there is no previous key to try", async () => {
    const world = worldWith([unknownKey, token]);
    await expect(exchange(grant, unlimited, settings, world.ports)).rejects.toBe(unknownKey);
    expect(world.ids()).toBe(1);
  });

  it("tries the previous key once when Coze does not know the current one, and logs it", async () => {
    const world = worldWith([unavailable(), unknownKey, token], { hasPreviousKey: true });
    const { token: issued }: ExchangeResult = await exchange(grant, unlimited, settings, world.ports);
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
    "ends with Coze's error for the current key when the previous key fails too: %s",
    async (error) => {
      const world = worldWith([unknownKey, error, token], { hasPreviousKey: true });
      await expect(exchange(grant, unlimited, settings, world.ports)).rejects.toBe(unknownKey);
      expect(world.assertions).toEqual(["current id 1", "previous id 2"]);
      expect(world.logged).toEqual([]);
    },
  );

  it.each([
    ["4100 of Coze's gateway", { error_code: "4100" }],
    ["the sentence about an unknown key", { error_message: "invalid jwt: kid not been registred" }],
  ])("tries the previous key for %s", async (_what, coze) => {
    const refusal = new TokenError("upstream_rejected", "no", { coze: { status: 401, ...coze } });
    const world = worldWith([refusal, token], { hasPreviousKey: true });
    expect(await exchange(grant, unlimited, settings, world.ports)).toMatchObject({ token });
  });

  it.each([
    ["another refusal", "upstream_rejected", { coze: { status: 403, error_code: "access_deny" } }],
    ["a refusal without a Coze error", "upstream_rejected", {}],
    ["an invalid response", "upstream_invalid_response", { coze: { status: 200, error_code: "4100" } }],
  ] as const)("does not try the previous key for %s", async (_what, code, details) => {
    const error = new TokenError(code, "no", details);
    const world = worldWith([error, token], { hasPreviousKey: true });
    await expect(exchange(grant, unlimited, settings, world.ports)).rejects.toBe(error);
  });
});

describe("an exchange above the limit of its user", () => {
  it("refuses an exchange above the user's limit without an attempt at Coze", async () => {
    const world = worldWith([token]);
    await expect(exchange(grant, async () => false, settings, world.ports)).rejects.toMatchObject({
      code: "rate_limited",
      message: "Too many new tokens for one user. Keep a token until it ends, and try again later.",
      details: { retryAfterSeconds: 60 },
    });
    expect(world.ids()).toBe(0);
  });

  it("counts an exchange against the user's limit within its budget", async () => {
    const world = worldWith([token]);
    const countSlowly = async () => {
      world.laterBy(7000);
      return true;
    };
    await exchange(grant, countSlowly, settings, world.ports);
    expect(world.timeouts).toEqual([2997]);
  });
});

describe("an exchange and the circuit breaker", () => {
  const refused = new TokenError("upstream_rejected", "no", { coze: { status: 403 } });
  const isOpen = (ports: ExchangePorts) => {
    try {
      ports.circuit.check();
      return false;
    } catch {
      return true;
    }
  };
  const fail = (ports: ExchangePorts, times: number) => {
    for (let failures = 0; failures < times; failures += 1) ports.circuit.admit().failed();
  };
  const attempt = (ports: ExchangePorts, countExchange = unlimited) =>
    exchange(grant, countExchange, settings, ports).catch((error: unknown) => error);

  it("neither makes nor counts an exchange while the circuit is open", async () => {
    const world = worldWith([token]);
    fail(world.ports, 5);
    const count = vi.fn(unlimited);
    expect(await attempt(world.ports, count)).toMatchObject({
      code: "upstream_unavailable",
      details: { retryAfterSeconds: 2 },
    });
    expect(count).not.toHaveBeenCalled();
    expect(world.ids()).toBe(0);
  });

  it.each([
    ["before the pause", 3, 0, [100]],
    ["after the pause", 1, 2, [100, 200]],
  ])("does not repeat an attempt when the circuit is open %s", async (_when, failuresBefore, meanwhile, pauses) => {
    const coze = { status: 503, error_message: "busy" };
    const busy = new TokenError("upstream_unavailable", "busy", { coze, cause: refused });
    const world = worldWith([busy, busy, token]);
    fail(world.ports, failuresBefore);
    const sleep = async (milliseconds: number) => {
      await world.ports.sleep(milliseconds);
      if (world.pauses.length === 2) fail(world.ports, meanwhile);
    };
    expect(await attempt({ ...world.ports, sleep })).toMatchObject({
      code: "upstream_unavailable",
      message: expect.stringContaining("several times in a row"),
      details: { retryAfterSeconds: 2, coze, cause: refused },
    });
    expect(world.ids()).toBe(2);
    expect(world.pauses).toEqual(pauses);
  });

  it("counts unavailability and whole timeouts against Coze in the circuit breaker", async () => {
    const world = worldWith([unavailable(), timeout, timeout, unavailable(), timeout], { costMs: 100 });
    await attempt(world.ports);
    expect(isOpen(world.ports)).toBe(false);
    await attempt(world.ports);
    expect(isOpen(world.ports)).toBe(true);
    expect(world.ids()).toBe(5);
  });

  it("counts against Coze a timeout of nearly the whole budget, the most that a longer setting can get", async () => {
    const world = worldWith([timeout], { costMs: 10_000 });
    fail(world.ports, 4);
    await exchange(grant, unlimited, { ...settings, upstreamTimeoutMs: 10_000 }, world.ports).catch(() => {});
    expect(world.timeouts).toEqual([9997]);
    expect(isOpen(world.ports)).toBe(true);
  });

  it("counts against Coze an error of a shortened attempt, and its timeout neither way", async () => {
    const slowly = async () => {
      world.laterBy(7000);
      return true;
    };
    const world = worldWith([timeout, unavailable(60)]);
    fail(world.ports, 4);
    await attempt(world.ports, slowly);
    expect(isOpen(world.ports)).toBe(true);
    expect(world.timeouts).toHaveLength(2);
  });

  it("keeps the circuit open for as long as Coze's Retry-After says", async () => {
    const world = worldWith([unavailable(60)]);
    fail(world.ports, 4);
    await attempt(world.ports);
    expect(await attempt(world.ports)).toMatchObject({ details: { retryAfterSeconds: 60 } });
  });

  it.each<[string, AccessToken | Error]>([
    ["a token", token],
    ["a refusal", refused],
    ["an invalid response", new TokenError("upstream_invalid_response", "what")],
  ])("counts %s for Coze in the circuit breaker", async (_what, outcome) => {
    const world = worldWith([outcome]);
    fail(world.ports, 4);
    await attempt(world.ports);
    fail(world.ports, 1);
    expect(isOpen(world.ports)).toBe(false);
  });

  it.each<[string, Partial<ExchangePorts>]>([
    ["a bug before the request", { sign: () => Promise.reject(new Error("a bug")) }],
    ["a bug after the request", { requestToken: () => Promise.reject(new Error("a bug")) }],
  ])("counts %s neither for nor against Coze, and gives its lease back", async (_what, bug) => {
    const world = worldWith([token]);
    fail(world.ports, 5);
    world.laterBy(1250);
    expect(await attempt({ ...world.ports, ...bug })).toEqual(new Error("a bug"));
    expect(isOpen(world.ports)).toBe(false);
    expect(await attempt(world.ports)).toMatchObject({ token });
    expect(world.logged).toContainEqual({ level: "info", event: "circuit_closed" });
  });

  it("counts a timeout shortened by the budget neither for nor against Coze", async () => {
    const world = worldWith([timeout], { costMs: 5000 });
    fail(world.ports, 4);
    const countSlowly = async () => {
      world.laterBy(5500);
      return true;
    };
    await attempt(world.ports, countSlowly);
    expect(world.timeouts).toEqual([4497]);
    expect(isOpen(world.ports)).toBe(false);
    fail(world.ports, 1);
    expect(isOpen(world.ports)).toBe(true);
  });

  it("does not try the previous key once the circuit is open", async () => {
    const world = worldWith([unknownKey, token], { hasPreviousKey: true });
    const requestToken: ExchangePorts["requestToken"] = async (...request) => {
      fail(world.ports, 5);
      return world.ports.requestToken(...request);
    };
    expect(await attempt({ ...world.ports, requestToken })).toBe(unknownKey);
    expect(world.assertions).toEqual(["current id 1"]);
  });
});
