import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axeViolations, loadAxe } from "../support/axe.ts";
import { launchBrowser, type ServedWorker, serveWorker } from "../support/browser.ts";
import { createTestApp } from "../support/coze.ts";

let browser: Browser;
let worker: ServedWorker;

beforeAll(async () => {
  [browser, worker] = await Promise.all([launchBrowser(), createTestApp().then((app) => serveWorker(app))]);
});

afterAll(() => Promise.all([browser.close(), worker[Symbol.asyncDispose]()]));

describe.each(["en", "zh-CN"])("the console in %s", (locale) => {
  describe.each([360, 1280])("at %i px", (width) => {
    it.each(["light", "dark"] as const)(
      "passes axe with the console in each language and width, in %s",
      async (colorScheme) => {
        const context = await browser.newContext({
          locale,
          colorScheme,
          viewport: { width, height: 800 },
          bypassCSP: true,
        });
        const page = await context.newPage();
        await page.goto(worker.url);
        await loadAxe(page);
        for (const tab of ["web", "script", "operation"]) {
          await page.locator(`#tab-${tab}`).click();
          if (tab !== "operation") await request(page, tab);
          expect(await axeViolations(page)).toEqual([]);
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        }
        await context.close();
      },
    );
  });
});

/** A token in one tab, and an error in the other. */
async function request(page: Page, tab: string): Promise<void> {
  const panel = page.locator(`#panel-${tab}`);
  await panel.locator("summary").click();
  if (tab === "script") await panel.locator("input[type=number]").fill("86399");
  await panel.locator("button[type=submit]").click();
  await panel.locator("article").waitFor();
}
