import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createCoze } from "../../tools/emulator/client.ts";
import { axeViolations, loadAxe } from "../support/axe.ts";
import { launchBrowser } from "../support/browser.ts";
import { prepareWebPage, startWebPage } from "../tools/examples/web-page.ts";
import { createProject, type Project } from "../tools/start/project.ts";
import { type StartedService, startService } from "../tools/start/service.ts";

/** The service returns a younger token in spite of a rejection. */
const MIN_REJECTED_AGE_MS = 10_000;
const HEIGHT = 720;
const DEACTIVATED = {
  error_code: "access_deny",
  error_message: "app: shop is currently deactivated by the owner",
  error: "access_deny",
};

describe("examples/web", () => {
  let browser: Browser;
  let project: Project;
  let service: StartedService;
  let site: Awaited<ReturnType<typeof startWebPage>>;
  let coze: ReturnType<typeof createCoze>;

  beforeAll(async () => {
    const { port, callers } = await prepareWebPage();
    project = createProject({ "callers.json": callers });
    [browser, service] = await Promise.all([
      launchBrowser(),
      startService(project, { args: ["--callers", "callers.json"] }),
    ]);
    site = await startWebPage(port, service.url, service.emulator);
    coze = createCoze(service.emulator);
  });

  afterAll(async () => {
    await Promise.all([browser.close(), site[Symbol.asyncDispose](), service[Symbol.asyncDispose]()]);
    project[Symbol.dispose]();
  });

  async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(site.url);
    await state(page, "logged-out");
    return page;
  }

  it("serves users of examples/web by keyboard alone, each in a session of their own", async () => {
    const page = await openPage();
    const { keyboard } = page;
    const focused = () => page.evaluate<string>("document.activeElement.id");
    await keyboard.press("Tab");
    for (const name of ["ada", "bob"]) {
      expect(await focused()).toBe("name");
      await keyboard.insertText(name);
      await keyboard.press("Enter");
      await state(page, "ready");

      expect([await focused(), await page.locator("#user").textContent()]).toEqual(["question", name]);
      await keyboard.insertText("Who am I?");
      await keyboard.press("Enter");
      await state(page, "ready");

      expect(await answers(page)).toEqual([`This is the Coze emulator. Your session is ${name}. You said: Who am I?`]);
      expect(await focused()).toBe("question");
      await keyboard.press("Shift+Tab");
      await keyboard.press("Enter");
      await state(page, "logged-out");
      expect(await page.locator("#messages li").count()).toBe(0);
    }
  });

  it("replaces a revoked token in examples/web without a reload", async () => {
    const page = await openPage();
    await logIn(page, "eve");
    await ask(page, "Before?");
    await coze.revoke("eve");

    await ask(page, "After?");
    expect(await errors(page)).toEqual([
      "Coze refused: authentication is invalid (status 401, code 4100)",
      expect.stringMatching(/^Request id: \d{14}[\dA-F]{20}$/),
    ]);
    await vi.waitFor(
      async () => {
        await ask(page, "After?");
        expect(await errors(page)).toEqual([]);
      },
      { interval: 500, timeout: MIN_REJECTED_AGE_MS * 2 },
    );

    const said = (await answers(page)).map((answer) => answer.split("You said: ")[1]);
    const tokens = await page.locator("li.answer small").allTextContents();
    expect(said).toEqual(["Before?", "After?"]);
    expect(tokens).toEqual([expect.stringMatching(/^Token czs_.{4}…$/), expect.not.stringMatching(tokens[0] ?? "")]);
  });

  it("shows an error's description and request id in examples/web, and works again afterwards", async () => {
    const page = await openPage();
    const bodies: Promise<Record<string, string>>[] = [];
    page.on("response", (response) => {
      if (response.url() === service.url && response.status() === 502) bodies.push(response.json());
    });
    await logIn(page, "mia");
    onTestFinished(coze.disarm);
    await coze.arm({ times: null, response: { status: 403, body: DEACTIVATED } });
    await ask(page, "Hello?");

    const { error_description, request_id } = (await bodies.at(-1)) ?? {};
    expect(error_description).toBe("Coze denies the app access. Is it an OAuth app of type JWT, and active?");
    expect(await errors(page)).toEqual([error_description, `Request id: ${request_id}`]);
    expect(await page.locator("#question").inputValue()).toBe("Hello?");

    await coze.disarm();
    await page.locator("#ask").click();
    await state(page, "ready");
    expect([await errors(page), (await answers(page)).length]).toEqual([[], 1]);
  });

  it.each([360, 1280])("fits examples/web into %i px and passes axe, light and dark", async (width) => {
    const page = await openPage({ viewport: { width, height: HEIGHT }, bypassCSP: true });
    await loadAxe(page);
    const check = async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await axeViolations(page)).toEqual([]);
      }
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    };
    await check();

    await page.locator("#name").fill("No such name");
    await page.keyboard.press("Enter");
    await page.locator("#error p").waitFor();
    await check();

    await logIn(page, "a-name-that-is-as-long-as-a-name-may-be-and-so-has-64-characters");
    await ask(page, "What does a long question look like? ".repeat(8));
    await check();
    const { y = 0, height = 0 } = (await page.locator("#chat-form").boundingBox()) ?? {};
    expect([y > 0, y + height <= HEIGHT]).toEqual([true, true]);
  });
});

function state(page: Page, state: "logged-out" | "ready"): Promise<void> {
  return page.locator(`#app[data-state=${state}]`).waitFor();
}

async function logIn(page: Page, name: string): Promise<void> {
  await page.locator("#name").fill(name);
  await page.keyboard.press("Enter");
  await state(page, "ready");
}

async function ask(page: Page, question: string): Promise<void> {
  await page.locator("#question").fill(question);
  await page.keyboard.press("Enter");
  await state(page, "ready");
}

function answers(page: Page): Promise<readonly string[]> {
  return page.locator("li.answer span").allTextContents();
}

/** The sentence and the request id. */
function errors(page: Page): Promise<readonly string[]> {
  return page.locator("#error > *").allTextContents();
}
