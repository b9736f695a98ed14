import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { launchBrowser, type ServedWorker, serveWorker } from "../support/browser.ts";
import { createTestApp } from "../support/coze.ts";
import { createTestIssuer } from "../support/issuer.ts";
import { readPngText, withPngText } from "../support/png-text.ts";

const PICTURE = join(import.meta.dirname, "../../docs/console.png");
const ADDRESS = "https://token.example.com/";
const KEYWORD = "console";

/**
 * `npm run screenshot` makes the picture. No two machines have the same fonts, so pixels are not compared: the picture
 * holds the digest of what the page showed.
 */
it("finds docs/console.png up to date with the console", async () => {
  const issuer = await createTestIssuer({ issuersUrl: inject("issuersUrl") });
  const caller = { name: "web-users", issuer: issuer.issuer, audience: "authenticated" };
  await using worker = await serveWorker(await createTestApp(), { CALLERS: [caller] });
  await using browser = await launchBrowser();
  const page = await browser.newPage({ locale: "en-US", viewport: { width: 1200, height: 800 } });
  await serveAt(ADDRESS, page, worker);
  await page.goto(ADDRESS);
  await page.getByLabel("JWT of a login").fill(await issuer.sign({ sub: "ada", aud: "authenticated" }));
  await page.getByRole("button", { name: "Request a token" }).filter({ visible: true }).click();
  await page.getByRole("article").getByText("New from Coze").waitFor();

  const shown = await digestOf(page);
  if (process.env["SCREENSHOT"] === "make") {
    const picture = await page.screenshot({ fullPage: true, animations: "disabled" });
    writeFileSync(PICTURE, withPngText(picture, KEYWORD, shown));
  }
  const pictured = existsSync(PICTURE) ? readPngText(readFileSync(PICTURE), KEYWORD) : undefined;
  expect(pictured, "docs/console.png is out of date: run npm run screenshot").toBe(shown);
});

/** Lets a page have an address as a deployment has it, without the port of the Worker. */
async function serveAt(address: string, page: Page, worker: ServedWorker): Promise<void> {
  await page.route(`${address}**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: new URL(pathname, worker.url).href }) });
  });
}

/** The digest of elements, texts and style, whatever the time and the id of the request. */
async function digestOf(page: Page): Promise<string> {
  await page.evaluate("document.querySelector('body > script').remove()");
  const html = (await page.content())
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "id")
    .replace(/\d+ min \d+ s|max="\d+"/g, "time");
  return sha256Hex(html);
}
