import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { launchBrowser } from "../support/browser.ts";
import { readCode } from "../support/readme-snippets.ts";
import { serve } from "../support/stand-in-server.ts";
import { type ExampleService, startService } from "../tools/examples/service.ts";

const KEY = `ctw_${"k".repeat(43)}`;

/** The service returns a token that is younger than this although it was rejected. One second for rounding. */
const MIN_REJECTED_AGE_MS = 11_000;

/** What Coze's script tag defines, as far as the README uses it. */
const CHAT_STAND_IN = `<script>
  globalThis.CozeWebSDK = { WebChatClient: class { constructor(options) { globalThis.chatOptions = options; } } };
</script>`;

const resources = new AsyncDisposableStack();
let browser: Browser;
let service: ExampleService;

beforeAll(async () => {
  service = resources.use(
    await startService([
      { name: "users", key_sha256: sha256Hex(KEY) },
      { name: "visitors", anonymous: true },
    ]),
  );
  browser = resources.adopt(await launchBrowser(), (running) => running.close());
});

afterAll(() => resources.disposeAsync());

/** The snippet of README.md below a heading, with the address of this service. */
async function snippet(heading: string, language: string): Promise<string> {
  const [code] = await readCode(heading, language);
  return code.replaceAll("https://token.example.com/", service.tokenUrl);
}

/** Opens a page with this content, on an origin of its own. */
async function openPage(html: string): Promise<Page> {
  const server = resources.adopt(await serve(new Hono().get("/", (c) => c.html(html))), ({ close }) => close());
  const page = await browser.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.goto(server.url);
  return page;
}

describe("the pages in README.md", () => {
  it("gets a token for a visitor with the page in README.md", async () => {
    const html = (await snippet("A page", "html")).replace("console.log(", "document.body.append(");
    const page = await openPage(`<!doctype html><body>${html}</body>`);
    await page.getByText(/czs_\S{20}/).waitFor();
  });

  it("gets a token for a logged-in user with the page in README.md", async () => {
    const page = await openPage(`<!doctype html><body><script type="module">
      import { createTokenProvider } from "${service.tokenUrl}client.js";
      const supabase = { auth: { getSession: async () => ({ data: { session: { access_token: "${KEY}" } } }) } };
      ${await snippet("A page", "js")}
      document.body.append(await getToken());
    </script></body>`);
    await page.getByText(/czs_\S{20}/).waitFor();
  });

  it("gives Web Chat a token with the page in README.md, and another one when Coze has rejected it", async () => {
    const page = await openPage(`<!doctype html><body>${CHAT_STAND_IN}${await snippet("Web Chat", "html")}</body>`);
    await page.waitForFunction("globalThis.chatOptions !== undefined");
    const token = await page.evaluate<string>("chatOptions.auth.token");
    expect(token).toMatch(/^czs_/);

    await sleep(MIN_REJECTED_AGE_MS);
    const next = await page.evaluate<string>(`chatOptions.auth.onRefreshToken(${JSON.stringify(token)})`);
    expect(next).toMatch(/^czs_/);
    expect(next).not.toBe(token);
  });
});
