import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type ServedWorker, serveWorker } from "../support/browser.ts";
import { createTestApp } from "../support/coze.ts";

let browser: Browser;
let worker: ServedWorker;

beforeAll(async () => {
  browser = await launchBrowser();
  worker = await serveWorker(await createTestApp());
});

afterAll(async () => {
  await browser.close();
  await worker[Symbol.asyncDispose]();
});

describe("the console", () => {
  it.each(["url", "deployedUrl"] as const)("loads from the %s of a Worker", async (url) => {
    const page = await browser.newPage();
    const response = await page.goto(worker[url]);
    expect(response?.status()).toBe(200);
    expect(await page.title()).toBe("coze-token-worker");
    await page.close();
  });
});
