import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTokenProvider, type GetTokenOptions, type TokenProviderOptions } from "../../../src/client/client.ts";
import { createServiceStandIn } from "../../support/service-stand-in.ts";

const ENDPOINT = "https://token.example.com/";

let service: ReturnType<typeof createServiceStandIn>;
const onError = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  service = createServiceStandIn();
  onError.mockReset();
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const provide = (options: TokenProviderOptions = {}) =>
  createTokenProvider({ endpoint: ENDPOINT, userId: "ada", fetch: service.fetch, onError, ...options });

const advance = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

/** Moves the wall clock alone: what a person does, and what a machine's sleep looks like. */
const moveClock = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

describe("a request of the token provider", () => {
  it("sends the user and the credential in headers, without a body, cookies or HTTP caching", async () => {
    await provide({ credential: "jwt" })();
    expect(service.requests).toEqual([
      {
        url: ENDPOINT,
        headers: { "X-User-ID": "ada", Authorization: "Bearer jwt" },
        body: undefined,
        init: expect.objectContaining({
          method: "POST",
          cache: "no-store",
          credentials: "omit",
          redirect: "manual",
          referrerPolicy: "strict-origin",
        }),
      },
    ]);
  });

  it("sends a minimum life and a rejected token in a JSON body", async () => {
    await provide()({ minSeconds: 99.5, rejectedToken: "old" });
    expect(service.requests[0]).toMatchObject({
      headers: { "Content-Type": "application/json" },
      body: { minimum_seconds: 100, rejected_token: "old" },
    });
  });

  it.each([
    ["a string", "once"],
    ["a function", () => "once"],
    ["an async function", async () => "once"],
  ])("sends the Turnstile response of %s", async (_, turnstile) => {
    await provide({ turnstile })();
    expect(service.requests[0]?.headers["cf-turnstile-response"]).toBe("once");
  });

  it("sends a fresh Turnstile response with each repeated request", async () => {
    let count = 0;
    service.plan({ drops: true });
    const token = provide({ turnstile: () => `response-${++count}` })();
    await advance(1);
    await token;
    expect(service.requests.map(({ headers }) => headers["cf-turnstile-response"])).toEqual([
      "response-1",
      "response-2",
    ]);
  });

  it.each([[null], [undefined], ["text"], [42], [{ minSeconds: "many", rejectedToken: 7, signal: {} }], [() => {}]])(
    "ignores the argument %j",
    async (argument) => {
      const getToken = provide();
      expect(await getToken(argument as unknown as GetTokenOptions)).toBe("token-1"); // what an SDK may pass
      expect(service.requests[0]?.body).toBeUndefined();
    },
  );

  it("calls the global fetch by default, without a receiver", async () => {
    const global = vi.fn(function (this: unknown, ...request: Parameters<typeof service.fetch>) {
      expect(this).toBeUndefined();
      return service.fetch(...request);
    });
    vi.stubGlobal("fetch", global);
    await createTokenProvider({ endpoint: ENDPOINT, userId: "ada" })();
    vi.unstubAllGlobals();
    expect(global).toHaveBeenCalledOnce();
  });
});

describe("the token provider's cache", () => {
  it("makes one request for 50 concurrent calls", async () => {
    service.plan({ afterMs: 500 });
    const getToken = provide();
    const tokens = Promise.all(Array.from({ length: 50 }, () => getToken()));
    await advance(1);
    expect(new Set(await tokens)).toEqual(new Set(["token-1"]));
    expect(service.requests).toHaveLength(1);
  });

  it("returns the cached token without a request until a quarter of its life is left", async () => {
    const getToken = provide();
    await getToken();
    await advance(675);
    expect(await getToken()).toBe("token-1");
    expect(service.requests).toHaveLength(1);
  });

  it("returns the cached token at once in the last quarter of its life, and renews it once in the background", async () => {
    const getToken = provide();
    await getToken();
    await advance(676);
    service.plan({ afterMs: 3000 });
    expect(await Promise.all([getToken(), getToken()])).toEqual(["token-1", "token-1"]);
    expect(await getToken()).toBe("token-1");
    await advance(3);
    expect(await getToken()).toBe("token-2");
    expect(service.requests).toHaveLength(2);
  });

  it("waits for a new token when the cached one has less than five seconds", async () => {
    const getToken = provide();
    await getToken();
    await advance(895);
    expect(await getToken()).toBe("token-2");
  });

  it("serves a token of ten seconds for three quarters of its life", async () => {
    service.plan({ ttl: 10 });
    const getToken = provide();
    await getToken();
    await advance(7.4);
    expect(await getToken()).toBe("token-1");
    await advance(0.1);
    expect(await getToken()).toBe("token-2");
  });

  it("counts a token's life from the moment of the request", async () => {
    service.plan({ ttl: 20, afterMs: 10_000 });
    const getToken = provide();
    const token = getToken();
    await advance(10);
    expect(await token).toBe("token-1");
    await advance(5);
    expect(await getToken()).toBe("token-2");
  });

  it("requests again when a token has expired on arrival", async () => {
    service.plan({ ttl: 3, afterMs: 4000 });
    const token = provide()();
    await advance(5);
    expect(await token).toBe("token-2");
  });

  it("gets another token after a sleep that only the wall clock noticed", async () => {
    const getToken = provide();
    await getToken();
    moveClock(3600);
    expect(await getToken()).toBe("token-2");
  });

  it("does not trust a token when the wall clock was set back", async () => {
    const getToken = provide();
    await getToken();
    moveClock(-3600);
    expect(await getToken()).toBe("token-2");
    expect(await getToken()).toBe("token-2");
  });

  it("does not trust a token when the wall clock was set back by less than the token has lived", async () => {
    const getToken = provide();
    await getToken();
    await advance(600);
    moveClock(-300);
    expect(await getToken()).toBe("token-2");
  });

  it("trusts a token while the wall clock is adjusted in small steps", async () => {
    const getToken = provide();
    await getToken();
    moveClock(-1);
    await advance(894);
    expect(await getToken()).toBe("token-1");
    await advance(1);
    expect(await getToken()).not.toBe("token-1");
  });

  it("notices a clock that was set back without a steady clock beside it", async () => {
    vi.stubGlobal("performance", undefined);
    const getToken = provide();
    await getToken();
    moveClock(-3600);
    const token = await getToken();
    vi.unstubAllGlobals();
    expect(token).toBe("token-2");
  });

  it.each([
    ["missing", {}],
    ["of another cache", { "Cache-Status": "CDN; hit; ttl=600" }],
    ["unreadable", { "Cache-Status": "coze-token-worker; hit; ttl=soon" }],
  ])("assumes 30 seconds of life when Cache-Status is %s", async (_, headers) => {
    service.plan({ headers: { "Cache-Status": "", ...headers } });
    const getToken = provide();
    await getToken();
    await advance(22);
    expect(await getToken()).toBe("token-1");
    await advance(3);
    expect(await getToken()).not.toBe("token-1");
  });

  it("reads the service's own entry in a Cache-Status with several", async () => {
    service.plan({
      headers: { "Cache-Status": "CDN; ttl=9, coze-token-worker; fwd=miss; stored; ttl=800, Edge; ttl=7" },
    });
    const getToken = provide();
    await getToken();
    await advance(590);
    expect(await getToken()).toBe("token-1");
    expect(service.requests).toHaveLength(1);
  });
});

describe("minSeconds", () => {
  it("renews before returning when the token has less than minSeconds", async () => {
    const getToken = provide();
    await getToken();
    await advance(400);
    expect(await getToken({ minSeconds: 499 })).toBe("token-1");
    expect(await getToken({ minSeconds: 500 })).toBe("token-2");
    expect(service.requests[1]?.body).toEqual({ minimum_seconds: 500 });
  });

  it("returns a renewed token that has less than minSeconds", async () => {
    const getToken = provide();
    expect(await getToken({ minSeconds: Infinity })).toBe("token-1");
    expect(service.requests.map(({ body }) => body)).toEqual([{ minimum_seconds: 86_399 }]);
  });

  it("requests again for a greater minSeconds that joins a request under way", async () => {
    service.plan({ ttl: 60, afterMs: 100 });
    const getToken = provide();
    const first = getToken();
    await advance(0.05);
    const tokens = Promise.all([first, getToken({ minSeconds: 300 }), getToken({ minSeconds: 200 })]);
    await advance(1);
    expect(await tokens).toEqual(["token-2", "token-2", "token-2"]);
    expect(service.requests.map(({ body }) => body)).toEqual([undefined, { minimum_seconds: 300 }]);
    await getToken({ rejectedToken: "token-2" });
    expect(service.requests[2]?.body).toEqual({ rejected_token: "token-2" });
  });

  it("returns the cached token when a renewal for minSeconds fails, and reports to onError", async () => {
    const getToken = provide();
    await getToken();
    service.plan(service.error(403, "access_denied"));
    expect(await getToken({ minSeconds: 1000 })).toBe("token-1");
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "access_denied" }));
  });
});

describe("rejectedToken", () => {
  it("replaces a rejected token with one request, however many calls report it", async () => {
    const getToken = provide();
    await getToken();
    service.plan({ afterMs: 100 });
    const tokens = Promise.all([
      getToken({ rejectedToken: "token-1" }),
      getToken({ rejectedToken: "token-1" }),
      getToken(),
    ]);
    await advance(1);
    expect(await tokens).toEqual(["token-2", "token-2", "token-2"]);
    expect(await getToken({ rejectedToken: "token-1" })).toBe("token-2");
    expect(service.requests.map(({ body }) => body)).toEqual([undefined, { rejected_token: "token-1" }]);
  });

  it("returns the rejected token when the service insists", async () => {
    const getToken = provide();
    await getToken();
    service.plan({ token: "token-1" });
    expect(await getToken({ rejectedToken: "token-1" })).toBe("token-1");
    expect(await getToken()).toBe("token-1");
    expect(service.requests).toHaveLength(2);
  });

  it("does not return a rejected token from a renewal that was under way", async () => {
    const getToken = provide();
    await getToken();
    await advance(700);
    service.plan({ token: "token-1", ttl: 200, afterMs: 100 });
    await getToken();
    const token = getToken({ rejectedToken: "token-1" });
    await advance(1);
    expect(await token).toBe("token-2");
    expect(service.requests.map(({ body }) => body)).toEqual([undefined, undefined, { rejected_token: "token-1" }]);
  });

  it("reports the rejected token again when the first request fails", async () => {
    const getToken = provide();
    await getToken();
    service.plan(service.error(403, "access_denied"));
    await expect(getToken({ rejectedToken: "token-1" })).rejects.toMatchObject({ code: "access_denied" });
    expect(await getToken()).toBe("token-2");
    expect(service.requests[2]?.body).toEqual({ rejected_token: "token-1" });
    expect(onError).not.toHaveBeenCalled();
  });

  it("does not return a rejected token that a later response brings back", async () => {
    const getToken = provide();
    await getToken();
    await getToken({ rejectedToken: "token-1" });
    service.plan({ token: "token-1" });
    expect(await getToken({ rejectedToken: "token-2" })).toBe("token-3");
    expect(service.requests.slice(2).map(({ body }) => body)).toEqual([
      { rejected_token: "token-2" },
      { rejected_token: "token-1" },
    ]);
  });

  it("forgets a rejected token after 50 others", async () => {
    const getToken = provide();
    await getToken();
    for (let index = 1; index <= 51; index += 1) await getToken({ rejectedToken: `token-${index}` });
    service.plan({ token: "token-3" }, { token: "token-2" });
    expect(await getToken({ rejectedToken: "token-52" })).toBe("token-2");
  });

  it("rejects with token_rejected when the service returns only rejected tokens", async () => {
    const getToken = provide();
    await getToken();
    await getToken({ rejectedToken: "token-1" });
    service.plan({ token: "token-1" }, { token: "token-2" }, { token: "token-1" }, { token: "token-2" });
    await expect(getToken({ rejectedToken: "token-2" })).rejects.toMatchObject({ code: "token_rejected" });
    expect(service.requests).toHaveLength(6);
  });
});

describe("an identity", () => {
  it.each(["userId", "credential"] as const)("gets another token after %s has changed", async (option) => {
    let name = "ada";
    const getToken = provide({ [option]: async () => name });
    expect(await getToken()).toBe("token-1");
    name = "bob";
    expect(await getToken()).toBe("token-2");
    name = "ada";
    expect(await getToken()).toBe("token-1");
  });

  it("never returns one user's token to another after the user has changed", async () => {
    let userId = "ada";
    service.plan({ afterMs: 500 }, { afterMs: 100 });
    const getToken = provide({ userId: () => userId });
    const ofAda = getToken();
    await advance(0.1);
    userId = "bob";
    const ofBob = getToken();
    await advance(1);
    expect(service.requests.map(({ headers }) => headers["X-User-ID"])).toEqual(["ada", "bob"]);
    expect(await ofAda).not.toBe(await ofBob);
    expect(await getToken()).toBe(await ofBob);
  });

  it("keeps the tokens of a user and of an equal credential apart", async () => {
    let userId: string | undefined = "x";
    const getToken = provide({ userId: () => userId, credential: "y" });
    await getToken();
    userId = undefined;
    expect(await getToken()).toBe("token-2");
    expect(service.requests[1]?.headers).toEqual({ Authorization: "Bearer y" });
  });

  it("forgets the oldest of 100 identities, but none with a request under way", async () => {
    let userId = "slow";
    const getToken = provide({ userId: () => userId });
    service.plan({ afterMs: 1000 });
    const slow = getToken();
    await advance(0);
    for (let index = 0; index < 100; index += 1) {
      userId = `user-${index}`;
      await getToken();
    }
    userId = "user-0";
    await getToken();
    expect(service.requests).toHaveLength(102);
    userId = "slow";
    const again = getToken();
    await advance(1);
    expect(await again).toBe(await slow);
    expect(service.requests).toHaveLength(102);
  });
});

describe("an AbortSignal", () => {
  it("rejects only the call whose signal aborts", async () => {
    service.plan({ afterMs: 500 });
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const getToken = provide();
    const aborted = getToken({ signal: controller.signal });
    const other = getToken();
    const reason = new Error("left");
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await advance(1);
    expect(await other).toBe("token-1");
    expect(service.requests).toHaveLength(1);
    expect(removed).toHaveBeenCalled();
  });

  it("sends no request for a signal that was aborted before", async () => {
    await expect(provide()({ signal: AbortSignal.abort("gone") })).rejects.toBe("gone");
    expect(service.requests).toEqual([]);
  });

  it("removes its listener from the signal when the call ends", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await provide()({ signal });
    expect(removed.mock.calls).toEqual(added.mock.calls);
  });
});
