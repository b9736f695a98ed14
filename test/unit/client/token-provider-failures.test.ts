import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import {
  createTokenProvider,
  type TokenFetch,
  TokenProviderError,
  type TokenProviderOptions,
} from "../../../src/client/client.ts";
import { createServiceStandIn } from "../../support/service-stand-in.ts";

let service: ReturnType<typeof createServiceStandIn>;
let random: MockInstance<() => number>;
const onError = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  service = createServiceStandIn();
  // Full jitter at its longest.
  random = vi.spyOn(Math, "random").mockReturnValue(1);
  onError.mockReset();
});

afterEach(() => {
  random.mockRestore();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const provide = (options: TokenProviderOptions = {}) =>
  createTokenProvider({
    endpoint: "https://token.example.com",
    userId: "ada",
    fetch: service.fetch,
    onError,
    ...options,
  });

const advance = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

const moveClock = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

/** The outcome of a call, without waiting for it: a rejection is handled at once. */
const outcomeOf = (call: Promise<string>) => call.catch((error: unknown) => error);

/** The milliseconds from now at which requests are made while the time goes on. */
async function requestTimes(seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const start = Date.now();
  let seen = service.requests.length;
  for (let tick = 0; tick < seconds * 100; tick += 1) {
    await advance(0.01);
    for (; seen < service.requests.length; seen += 1) times.push(Date.now() - start);
  }
  return times;
}

describe("an error response", () => {
  it.each([
    [400, "invalid_request"],
    [401, "invalid_client"],
    [403, "access_denied"],
  ])("rejects at once on an error response with status %i", async (status, code) => {
    service.plan(service.error(status, code));
    const error = await outcomeOf(provide()());
    expect(error).toBeInstanceOf(TokenProviderError);
    expect(error).toMatchObject({
      name: "TokenProviderError",
      message: `${code}: It is ${code}.`,
      code,
      description: `It is ${code}.`,
      status,
      requestId: "request-1",
    });
    expect(service.requests).toHaveLength(1);
  });

  it("sends another request on the next call after a 4xx", async () => {
    service.plan(service.error(403, "access_denied"));
    const getToken = provide();
    await outcomeOf(getToken());
    expect(await getToken()).toBe("token-1");
  });

  it.each([
    ["without a token", { body: { token_type: "Bearer" } }, 200],
    ["with an empty token", { body: { access_token: "" } }, 200],
    ["with a token that is no string", { body: { access_token: 7 } }, 200],
    ["that is null", { body: null }, 200],
    ["that is not JSON", { body: "<html>" }, 200],
    ["with an error that is none of this service", { body: { error: "x" } }, 200],
    ["with a token in an error", { status: 403, body: { access_token: "x" } }, 403],
    ["with an error code that is no string", { status: 404, body: { error: 7 } }, 404],
    ["that redirects", { status: 0, body: "" }, 0],
    ["of another service", { status: 404, body: "<html>" }, 404],
  ])("rejects with invalid_response on %s", async (_, reply, status) => {
    service.plan({ ...reply, headers: { "X-Request-Id": "of-header" } });
    const error = await outcomeOf(provide()());
    const description = `HTTP ${status} without a token.`;
    expect(error).toMatchObject({ code: "invalid_response", description, status, requestId: "of-header" });
    expect(service.requests).toHaveLength(1);
  });
});

describe("a failure that may pass", () => {
  it.each([
    ["a failing network", { drops: true as const }],
    ["a 429", { status: 429, body: { error: "rate_limited" } }],
    ["a 500", { status: 500, body: { error: "server_error" } }],
    ["a 502 of a proxy", { status: 502, body: "<html>" }],
  ])("repeats a request after %s", async (_, reply) => {
    service.plan(reply);
    const token = provide()();
    await advance(1);
    expect(await token).toBe("token-1");
    expect(service.requests).toHaveLength(2);
  });

  it("repeats a request whose connection breaks in the middle of the response", async () => {
    let responses = 0;
    const fetch: TokenFetch = async (...request) => {
      const response = await service.fetch(...request);
      responses += 1;
      return responses > 1 ? response : { ...response, json: () => Promise.reject(new TypeError("terminated")) };
    };
    const token = provide({ fetch })();
    await advance(1);
    expect(await token).toBe("token-2");
  });

  it("rejects with token_expired when every token has expired on arrival", async () => {
    service.plan(...Array(4).fill({ ttl: 0 }));
    const outcome = outcomeOf(provide()());
    await advance(10);
    expect(await outcome).toMatchObject({ code: "token_expired" });
  });

  it("sends at most four requests, with pauses that double", async () => {
    service.plan(...Array(5).fill({ drops: true }));
    const outcome = outcomeOf(provide()());
    expect(await requestTimes(10)).toEqual([10, 500, 1500, 3500]);
    expect(await outcome).toMatchObject({
      code: "network_error",
      // What fetch says may quote what was sent.
      description: "The request failed: network or CORS.",
      cause: expect.objectContaining({ message: "fetch failed" }),
    });
  });

  it("waits a random part of the pause before a repeated request", async () => {
    random.mockReturnValue(0.5);
    service.plan({ drops: true }, { drops: true });
    const token = provide()();
    expect(await requestTimes(2)).toEqual([10, 250, 750]);
    await token;
  });

  it("waits for Retry-After before a repeated request", async () => {
    service.plan(service.error(503, "upstream_unavailable", { "Retry-After": "7" }));
    const token = provide()();
    expect(await requestTimes(8)).toEqual([10, 7000]);
    await token;
  });

  it("rejects at once when Retry-After is longer than a person waits, and so do calls until it is over", async () => {
    service.plan(service.error(429, "rate_limited", { "Retry-After": "60" }));
    const getToken = provide();
    expect(await outcomeOf(getToken())).toMatchObject({ code: "rate_limited", status: 429, retryAfter: 60 });
    await advance(39);
    expect(await outcomeOf(getToken())).toMatchObject({ code: "rate_limited", retryAfter: 21 });
    expect(service.requests).toHaveLength(1);
    await advance(2);
    const token = getToken();
    expect(await requestTimes(20)).toEqual([19_000]);
    expect(await token).toBe("token-1");
  });

  it.each(["-5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])("ignores the Retry-After %j", async (value) => {
    service.plan(service.error(503, "upstream_unavailable", { "Retry-After": value }));
    const token = provide()();
    expect(await requestTimes(2)).toEqual([10, 500]);
    await token;
  });

  it("ends a pause although the only clock was set back", async () => {
    vi.stubGlobal("performance", undefined);
    service.plan(service.error(503, "upstream_unavailable", { "Retry-After": "60" }));
    const getToken = provide();
    await outcomeOf(getToken());
    moveClock(-3600);
    const token = await outcomeOf(getToken());
    vi.unstubAllGlobals();
    expect(token).toBe("token-1");
  });

  it("treats a Retry-After of more than five minutes as five", async () => {
    service.plan(service.error(503, "upstream_unavailable", { "Retry-After": "99999" }));
    const getToken = provide();
    await outcomeOf(getToken());
    await advance(300);
    expect(await getToken()).toBe("token-1");
  });

  it("continues the backoff across calls, and resets it after a success", async () => {
    service.plan(...Array(4).fill({ drops: true }));
    const getToken = provide();
    void outcomeOf(getToken());
    await advance(4);
    service.plan({ drops: true });
    const token = getToken();
    // 4000 ms after the fourth failure at 3500 ms, and 8000 ms after the fifth.
    expect(await requestTimes(12)).toEqual([3500, 11_500]);
    await token;
    service.plan({ drops: true });
    const next = getToken({ rejectedToken: await token });
    expect(await requestTimes(1)).toEqual([10, 500]);
    await next;
  });

  it("pauses 30 seconds at most, however often callers ask", async () => {
    service.plan(...Array(100).fill({ drops: true }));
    const getToken = provide();
    const times: number[] = [];
    for (let second = 0; second < 300; second += 1) {
      void outcomeOf(getToken());
      times.push(...(await requestTimes(1)).map((ms) => second + ms / 1000));
    }
    const pauses = times.slice(1).map((time, index) => Math.round((time - (times[index] ?? 0)) * 2) / 2);
    expect(pauses.slice(0, 9)).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
    await advance(60);
  });

  it("rejects with timeout after 15 seconds without a response, and aborts the request", async () => {
    service.plan({ afterMs: 16_000 });
    const token = provide()();
    await advance(15.5);
    expect(await token).toBe("token-1");
    expect(service.requests[0]?.init.signal?.aborted).toBe(true);
    await advance(1);
  });

  it("times out on a body that hangs, without an AbortController", async () => {
    vi.stubGlobal("AbortController", undefined);
    const fetch = async () => ({ status: 200, headers: { get: () => null }, json: () => new Promise(() => {}) });
    const outcome = outcomeOf(provide({ fetch })());
    await advance(60);
    vi.unstubAllGlobals();
    expect(await outcome).toMatchObject({ code: "timeout" });
  });

  it("starts no request more than 20 seconds after the call", async () => {
    service.plan(...Array(4).fill({ afterMs: 14_000, status: 503, body: {} }));
    const outcome = outcomeOf(provide()());
    expect(await requestTimes(60)).toEqual([10, 14_500]);
    expect(await outcome).toMatchObject({ status: 503 });
  });

  it("leaves no timer or listener behind after a failure", async () => {
    service.plan(...Array(4).fill({ drops: true }));
    const getToken = provide();
    const outcome = outcomeOf(getToken());
    await advance(10);
    expect(await outcome).toBeInstanceOf(TokenProviderError);
    expect(await getToken()).toBe("token-1");
  });
});

describe("a failing renewal behind a usable token", () => {
  it.each([
    ["that may pass", { drops: true as const }, "network_error", 4],
    ["with a 4xx", { status: 403, body: { error: "access_denied" } }, "access_denied", 1],
  ])("returns the cached token and reports %s to onError", async (_, reply, code, requests) => {
    const getToken = provide();
    await getToken();
    await advance(700);
    service.plan(...Array(4).fill(reply));
    expect(await getToken()).toBe("token-1");
    await advance(10);
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code }));
    expect(service.requests).toHaveLength(1 + requests);
  });

  it.each([
    ["by a network", { drops: true as const }],
    ["by a 4xx", { status: 403, body: { error: "access_denied" } }],
  ])("pauses renewals behind a usable token after a refusal %s", async (_, reply) => {
    const getToken = provide();
    await getToken();
    await advance(690);
    service.plan(...Array(100).fill(reply));
    for (let second = 0; second < 200; second += 1) {
      expect(await getToken()).toBe("token-1");
      await advance(1);
    }
    await advance(10);
    // 0.5 + 1 + 2 + 4 + 8 + 16 + 30 … seconds of pauses.
    expect(service.requests.length).toBeLessThan(16);
    expect(service.requests.length).toBeGreaterThan(5);
  });

  it("pauses renewals when a function in the options throws", async () => {
    const turnstile = vi.fn(() => "once");
    const getToken = provide({ turnstile });
    await getToken();
    await advance(690);
    turnstile.mockImplementation(() => {
      throw new Error("no widget");
    });
    for (let second = 0; second < 100; second += 1) {
      expect(await getToken()).toBe("token-1");
      await advance(1);
    }
    expect(turnstile.mock.calls.length).toBeLessThan(12);
    expect(onError).toHaveBeenCalledTimes(turnstile.mock.calls.length - 1);
  });

  it("returns the cached token when onError throws", async () => {
    const getToken = provide({
      onError: () => {
        throw new Error("in the page");
      },
    });
    await getToken();
    service.plan(service.error(403, "access_denied"));
    expect(await getToken({ minSeconds: 1000 })).toBe("token-1");
  });

  it("rejects the call when the token has expired during the renewal", async () => {
    service.plan({ ttl: 8 });
    const getToken = provide();
    await getToken();
    service.plan(...Array(4).fill({ afterMs: 3000, status: 503, body: {} }));
    const outcome = outcomeOf(getToken({ minSeconds: 100 }));
    await advance(30);
    expect(await outcome).toMatchObject({ status: 503 });
    expect(onError).not.toHaveBeenCalled();
  });
});

describe("a function in the options", () => {
  it.each(["userId", "credential", "turnstile"] as const)(
    "rejects the call with the error that the option %s throws",
    async (option) => {
      const reason = new Error("not logged in");
      const throwing = () => {
        throw reason;
      };
      await expect(provide({ [option]: throwing })()).rejects.toBe(reason);
      await expect(provide({ [option]: () => Promise.reject(reason) })()).rejects.toBe(reason);
      expect(service.requests).toEqual([]);
    },
  );

  it.each(["userId", "credential", "turnstile"] as const)(
    "rejects with timeout when the option %s hangs for a minute",
    async (option) => {
      const getToken = provide({ [option]: () => new Promise<string>(() => {}) });
      const outcome = outcomeOf(getToken());
      await advance(60);
      expect(await outcome).toMatchObject({ code: "timeout" });
      expect(service.requests).toEqual([]);
    },
  );
});
