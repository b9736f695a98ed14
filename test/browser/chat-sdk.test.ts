import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { launchBrowser, type ServedWorker, serveWorker } from "../support/browser.ts";
import { createTestApp, type TestApp } from "../support/coze.ts";
import { serveChatPage } from "./chat-sdk/page.ts";

/** The service returns a younger token in spite of a rejection. */
const MIN_REJECTED_AGE_MS = 10_000;
const ANSWER_MS = 3000;

let browser: Browser;
let app: TestApp;
let worker: ServedWorker;
let site: Awaited<ReturnType<typeof serveChatPage>>;

beforeAll(async () => {
  [browser, app, site] = await Promise.all([launchBrowser(), createTestApp(), serveChatPage()]);
  worker = await serveWorker(app);
});

afterAll(() => Promise.all([browser.close(), site.close(), worker[Symbol.asyncDispose]()]));

/** Opens the chat of a user, who sends a first message and is answered. */
async function openChat(user: string) {
  const page = await (await browser.newContext()).newPage();
  const pageErrors: Error[] = [];
  page.on("pageerror", (error) => pageErrors.push(error));
  const devTools = await page.context().newCDPSession(page);
  await devTools.send("Network.enable");
  await page.goto(`${site.url}/?${new URLSearchParams({ service: worker.url, coze: inject("emulatorUrl"), user })}`);
  const chat = {
    pageErrors,
    refreshes: () => page.evaluate<readonly Refresh[]>("refreshes"),
    errors: () => page.evaluate<readonly string[]>("errors"),

    async send(text: string): Promise<void> {
      await page.locator("textarea").fill(text);
      await page.keyboard.press("Enter");
    },

    /** Waits for the answer to a message, which names the session of the token. */
    answer: (text: string) =>
      page.getByText(`Your session is ${user}. You said: ${text}`).waitFor({ timeout: ANSWER_MS }),

    /** Sends messages until one is answered. */
    goOn: () =>
      vi.waitFor(
        async () => {
          const text = `Are you there? ${crypto.randomUUID()}`;
          await chat.send(text);
          await chat.answer(text);
        },
        { timeout: MIN_REJECTED_AGE_MS * 2 },
      ),

    setServiceDown: (isDown: boolean) => devTools.send("Network.setBlockedURLs", { urls: isDown ? [worker.url] : [] }),
  };
  await page.locator("textarea").waitFor();
  await chat.send("Hello");
  await chat.answer("Hello");
  return chat;
}

type Refresh = { readonly oldToken: string; readonly newToken: string };

async function exchangeCount(user: string): Promise<number> {
  return (await app.exchanges()).filter(({ assertion }) => assertion.claims["session_name"] === user).length;
}

describe.concurrent("@coze/chat-sdk with the token provider", () => {
  it("lets @coze/chat-sdk replace a revoked token and send the next message", async () => {
    const { goOn, send, answer, refreshes, pageErrors } = await openChat("ada");
    expect(await refreshes()).toEqual([]);
    await app.control("POST", "/tokens/revoke", { session_name: "ada" });

    await goOn();
    const asked = await refreshes();
    await send("One more");
    await answer("One more");

    const { oldToken, newToken } = asked.at(-1) ?? {};
    expect(oldToken).toMatch(/^czs_/);
    expect(newToken).toMatch(/^czs_/);
    expect(newToken).not.toBe(oldToken);
    expect(await refreshes()).toEqual(asked);
    expect([await exchangeCount("ada"), pageErrors]).toEqual([2, []]);
  });

  it("lets @coze/chat-sdk send messages again once a service that was down is back", async () => {
    const { goOn, send, refreshes, errors, pageErrors, setServiceDown } = await openChat("bob");
    await app.control("POST", "/tokens/revoke", { session_name: "bob" });
    await setServiceDown(true);

    await send("Down?");
    await vi.waitFor(async () => expect(await refreshes()).toMatchObject([{ newToken: "" }]), MIN_REJECTED_AGE_MS);
    expect(await errors()).toEqual(["network_error"]);

    await setServiceDown(false);
    await goOn();
    expect((await refreshes()).at(-1)).toMatchObject({ newToken: expect.stringMatching(/^czs_/) });
    expect([await errors(), await exchangeCount("bob"), pageErrors]).toEqual([["network_error"], 2, []]);
  });
});
