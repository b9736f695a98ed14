import { createHash } from "node:crypto";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { launchBrowser, type ServedWorker, serveWorker } from "../support/browser.ts";
import { openClientPage, serveClientPage } from "../support/client-page.ts";
import { createTestApp, type TestApp } from "../support/coze.ts";

const KEY = "ctw_a_key_that_no_page_would_have";
const HOUR_MS = 3_600_000;
const SHORT_LIFE_MS = 8000;
/** The service returns a younger token in spite of a rejection. */
const MIN_REJECTED_AGE_MS = 10_000;

let browser: Browser;
let site: Awaited<ReturnType<typeof serveClientPage>>;
let app: TestApp;
let worker: ServedWorker;
/** Its tokens end within seconds. */
let shortWorker: ServedWorker;

beforeAll(async () => {
  [browser, site, app] = await Promise.all([launchBrowser(), serveClientPage(), createTestApp()]);
  const callers = [
    { name: "scripts", key_sha256: createHash("sha256").update(KEY).digest("hex") },
    { name: "visitors", anonymous: true },
  ];
  [worker, shortWorker] = await Promise.all([
    serveWorker(app, { ALLOWED_ORIGINS: site.url, CALLERS: callers }),
    serveWorker(app, { TOKEN_DURATION: String(SHORT_LIFE_MS / 1000) }),
  ]);
});

afterAll(() =>
  Promise.all([browser.close(), site.close(), worker[Symbol.asyncDispose](), shortWorker[Symbol.asyncDispose]()]),
);

type PageOptions = Partial<Parameters<typeof openClientPage>[1]> & { readonly in?: BrowserContext };

/** Opens a page in a browser profile of its own. */
async function openPage({ in: context, ...options }: PageOptions = {}) {
  return openClientPage(context ?? (await browser.newContext()), {
    origin: site.url,
    service: worker.url,
    ...options,
  });
}

/** Whether a token is good for a request to Coze. */
async function isLive(token: string): Promise<boolean> {
  const headers = { Authorization: `Bearer ${token}` };
  return (await fetch(`${inject("emulatorUrl")}/v1/users/me`, { headers })).ok;
}

async function sessionNames(): Promise<readonly unknown[]> {
  return (await app.exchanges()).map(({ assertion }) => assertion.claims["session_name"]);
}

describe("a page of another origin", () => {
  it("gets a token in a page of another origin, through a preflight", async () => {
    const { page, getToken } = await openPage();
    const devTools = await page.context().newCDPSession(page);
    const methods = new Map<string, string>();
    const responses: string[] = [];
    devTools.on("Network.requestWillBeSent", ({ requestId, request }) => methods.set(requestId, request.method));
    devTools.on("Network.responseReceived", ({ requestId, response: { url, status } }) => {
      responses.push(`${methods.get(requestId)} ${url} ${status}`);
    });
    await devTools.send("Network.enable");

    expect(await isLive(await getToken())).toBe(true);
    expect(responses).toEqual([`OPTIONS ${worker.url} 204`, `POST ${worker.url} 200`]);
  });

  it("gets no token in a page of a forbidden origin", async () => {
    const origin = `http://forbidden.example.com:${new URL(site.url).port}`;
    const { script } = await openPage({ origin });
    const before = await sessionNames();

    const error = await script.evaluate(async ({ getToken, TokenProviderError }) => {
      const error: unknown = await getToken().catch((error) => error);
      return error instanceof TokenProviderError ? { ...error } : "no TokenProviderError";
    });

    expect(error).toMatchObject({ name: "TokenProviderError", code: "network_error" });
    expect(error).not.toHaveProperty("status"); // the 403 has no CORS headers
    expect(await sessionNames()).toEqual(before);
  });

  it("makes one token request for 50 components of a page", async () => {
    const { script, requestCount } = await openPage();

    const tokens = await script.evaluate(({ getToken }) => Promise.all(Array.from({ length: 50 }, () => getToken())));

    expect([tokens.length, new Set(tokens).size, requestCount()]).toEqual([50, 1, 1]);
  });

  it("shares one token between two tabs of a visitor, and with no other visitor", async () => {
    const context = await browser.newContext();
    const before = (await sessionNames()).length;

    const tokens: string[] = [];
    for (const visitor of [context, context, await browser.newContext()]) {
      tokens.push(await (await openPage({ in: visitor })).getToken());
    }

    const names = (await sessionNames()).slice(before);
    expect(tokens[1]).toBe(tokens[0]);
    expect(tokens[2]).not.toBe(tokens[0]);
    expect([names.length, new Set(names).size]).toEqual([2, 2]);
    expect((await context.storageState()).origins).toEqual([
      {
        origin: site.url,
        localStorage: [{ name: "coze-token-worker.visitor", value: String(names[0]).replace("visitors:", "") }],
      },
    ]);
  });

  it("stores neither a token nor a credential in a page's browser", async () => {
    const { page, getToken } = await openPage({ options: { credential: KEY, userId: "ada" } });
    await getToken();

    const { origins, cookies } = await page.context().storageState({ indexedDB: true });
    const ofTab = await page.evaluate("(async () => [sessionStorage.length, (await caches.keys()).length])()");

    expect({ origins, cookies, ofTab }).toEqual({ origins: [], cookies: [], ofTab: [0, 0] });
  });
});

// Each of these waits for a token to grow old.
describe.concurrent("a page", () => {
  it("replaces a revoked token without a reload of the page", async () => {
    const { script, getToken } = await openPage();
    const revoked = await getToken();
    await app.control("POST", "/tokens/revoke", { access_token: revoked });

    const useToken = () =>
      script.evaluate(
        async ({ getToken, isTokenRejection }, url) => {
          const send = (token: string) => fetch(url, { headers: { Authorization: `Bearer ${token}` } });
          const token = await getToken();
          const response = await send(token);
          if (!isTokenRejection(response)) return { status: response.status, used: [token] };
          const another = await getToken({ rejectedToken: token });
          return { status: (await send(another)).status, used: [token, another] };
        },
        `${inject("emulatorUrl")}/v1/users/me`,
      );

    expect(await useToken()).toEqual({ status: 401, used: [revoked, revoked] });
    const another = expect.not.stringMatching(revoked);
    await vi.waitFor(async () => expect(await useToken()).toEqual({ status: 200, used: [revoked, another] }), {
      interval: 500,
      timeout: MIN_REJECTED_AGE_MS * 2,
    });
    expect(await useToken()).toEqual({ status: 200, used: [another] });
  });

  it.each([
    ["both clocks move", "fastForward"],
    ["the wall clock alone moves, as on some systems", "setSystemTime"],
  ] as const)("returns a valid token after a sleep of the machine in which %s", async (_which, move) => {
    const { page, getToken, requestCount } = await openPage({
      service: shortWorker.url,
      prepare: (page) => page.clock.install(),
    });
    await page.clock.pauseAt(Date.now() + HOUR_MS);
    const asleepAt = await page.evaluate<number>("Date.now()");
    const token = await getToken();
    await vi.waitFor(async () => expect(await isLive(token)).toBe(false), SHORT_LIFE_MS * 2);
    expect([await getToken(), requestCount()]).toEqual([token, 1]);

    await page.clock[move](move === "fastForward" ? SHORT_LIFE_MS : asleepAt + SHORT_LIFE_MS);

    expect(await isLive(await getToken())).toBe(true);
    expect(requestCount()).toBe(2);
  });

  it.each([
    ["right", 0],
    ["an hour behind", -HOUR_MS],
    ["an hour ahead", HOUR_MS],
  ])("renews a token once in its life in a page whose clock is %s", async (_what, offsetMs) => {
    const { getToken, requestCount } = await openPage({
      service: shortWorker.url,
      prepare: (page) => page.clock.install({ time: Date.now() + offsetMs }),
    });
    const endedTokens: string[] = [];
    const getLiveToken = async () => {
      const token = await getToken();
      if (!(await isLive(token))) endedTokens.push(token);
      return token;
    };

    const first = await getLiveToken();
    await vi.waitFor(async () => expect(await getLiveToken()).not.toBe(first), SHORT_LIFE_MS * 2);

    expect({ requestCount: requestCount(), endedTokens }).toEqual({ requestCount: 2, endedTokens: [] });
  });
});
