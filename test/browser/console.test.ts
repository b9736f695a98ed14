import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Hono } from "hono";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { launchBrowser, type ServedWorker, serveWorker } from "../support/browser.ts";
import { createTestApp, type TestApp } from "../support/coze.ts";
import { createTestIssuer, type TestIssuer } from "../support/issuer.ts";
import { serve } from "../support/stand-in-server.ts";

const API_KEY = "ctw_K5pXz0m3Qy7vT1nB8cRf2wJd6hGs4aLe9uYiOxPqVtE";
const KEY_CALLER = { name: "nightly-report", key_sha256: sha256Hex(API_KEY) };

const CI_PARTY = "ci";

let app: TestApp;
let issuer: TestIssuer;
let browser: Browser;
let open: ServedWorker;
let closed: ServedWorker;

beforeAll(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer({ issuersUrl: inject("issuersUrl") });
  const job = { name: "job", issuer: issuer.issuer, claims: { azp: CI_PARTY } };
  [browser, open, closed] = await Promise.all([
    launchBrowser(),
    serveWorker(app),
    serveWorker(app, { CALLERS: [KEY_CALLER, job] }),
  ]);
});

afterAll(() => Promise.all([browser.close(), open[Symbol.asyncDispose](), closed[Symbol.asyncDispose]()]));

afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

async function visit(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: "en-US", ...options });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole("tablist").waitFor();
  return page;
}

/** The code below a heading. */
async function snippetOf(page: Page, heading: string): Promise<string> {
  const snippet = page.locator("section.snippet:visible", {
    has: page.getByRole("heading", { name: heading, exact: true }),
  });
  return (await snippet.locator("pre").textContent()) ?? "";
}

async function runInShell(code: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", code], { env: { ...process.env, ...env } });
  return stdout;
}

async function runInNode(code: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const arguments_ = ["--input-type=module", "--eval", code];
  const { stdout } = await promisify(execFile)(process.execPath, arguments_, { env: { ...process.env, ...env } });
  return stdout;
}

/** What GitHub offers to a job: JWTs for the audience that it names. */
async function serveJobTokens() {
  const audiences: string[] = [];
  const routes = new Hono().get("/token", async (c) => {
    if (c.req.header("Authorization") !== "bearer of-the-job") return c.body(null, 401);
    audiences.push(c.req.query("audience") ?? "");
    return c.json({ value: await issuer.sign({ sub: "repo:x/y", azp: CI_PARTY }) });
  });
  const { url, close } = await serve(routes);
  return {
    audiences: () => audiences,
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?version=2`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-job" },
    [Symbol.asyncDispose]: close,
  };
}

/** A field of the form that is shown: each of two tabs has one. */
function field(page: Page, label: string): Locator {
  return page.getByLabel(label, { exact: true }).filter({ visible: true });
}

function showMore(page: Page): Promise<void> {
  return page.locator("summary:visible").click();
}

/** Asks for a token with the form that is shown. */
async function requestToken(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) await field(page, label).fill(value);
  await page.getByRole("button", { name: "Request a token" }).click();
  await page.getByRole("article").waitFor();
}

describe("the console of an open service", () => {
  it("warns in the console that the service is open", async () => {
    const page = await visit(open.url);
    await expect(page.getByRole("heading", { name: "This service is open" }).textContent()).resolves.toBeTruthy();
    expect(await page.locator(".status").textContent()).toContain("open to everyone");
  });

  it("shows lines in the console that get a token from an open service as they are", async () => {
    const page = await visit(open.url);
    expect(JSON.parse(await runInShell(await snippetOf(page, "One request")))).toHaveProperty("access_token");
    const inPage = `(async () => {${await snippetOf(page, "With fetch")}\nreturn token})()`;
    expect(await page.evaluate(inPage)).toMatch(/^czs_/);

    await page.getByRole("tab", { name: "Script" }).click();
    expect(JSON.parse(await runInShell(await snippetOf(page, "Shell")))).toHaveProperty("access_token");
    expect(await runInNode(await snippetOf(page, "Node.js"))).toMatch(/^czs_/);
  });

  it("imports the client module from the console's own service", async () => {
    const page = await visit(open.url);
    expect(await snippetOf(page, "With the client module")).toContain(`"${open.url}client.js"`);
  });

  it("copies a snippet from the console", async () => {
    const page = await visit(open.url, { permissions: ["clipboard-read", "clipboard-write"] });
    await page.getByRole("button", { name: "Copy: One request" }).click();
    await page.getByText("Copied").first().waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(await snippetOf(page, "One request"));
  });

  it("asks the reader to copy by hand where the browser refuses the clipboard", async () => {
    const page = await visit(open.deployedUrl);
    await page.getByRole("button", { name: "Copy: One request" }).click();
    await page.getByText("Select the text and copy it by hand").first().waitFor();
  });

  it("masks a token in the console until it is revealed, and says where it comes from", async () => {
    const page = await visit(open.url);
    await requestToken(page, { "User id": "mary" });
    const article = page.getByRole("article");
    expect(await article.textContent()).toMatch(/czs_•{24}/);
    expect(await article.textContent()).toContain("New from Coze");
    expect(await page.content()).not.toMatch(/czs_[\w-]/);

    await article.getByRole("button", { name: "Reveal" }).click();
    expect(await article.locator(".token").textContent()).toMatch(/^czs_[\w-]{20,}$/);
    await article.getByRole("button", { name: "Hide" }).click();
    expect(await article.locator(".token").textContent()).toMatch(/^czs_•+$/);
  });

  it.each([-3600, 3600])("counts down the life of a token when the device's clock is %i s wrong", async (offset) => {
    const page = await visit(open.url);
    await page.clock.install({ time: Date.now() + offset * 1000 });
    await showMore(page);
    await requestToken(page, { "Duration in seconds": "120", "User id": `clock${offset}` });
    const countdown = page.locator(".countdown");
    expect(await countdown.textContent()).toMatch(/^(2 min 0 s|1 min 5\d s)$/);

    await page.clock.fastForward(90_000);
    expect(await countdown.textContent()).toMatch(/^(30|2\d) s$/);
    await page.clock.fastForward(30_000);
    expect(await countdown.textContent()).toBe("expired");
  });

  it("checks duration and scope in the console's form, then sends them", async () => {
    const page = await visit(open.url);
    await showMore(page);
    await field(page, "Scope as JSON").fill("[");
    await page.getByRole("button", { name: "Request a token" }).click();
    expect(await page.evaluate("document.activeElement.validationMessage")).toBe("This is not a JSON object.");

    await requestToken(page, { "Scope as JSON": "", "Duration in seconds": "120", "User id": "bob" });
    expect(await page.getByRole("article").textContent()).toMatch(/1 min 5\d s|2 min 0 s/);
  });

  it("explains an error in the console with its sentence and what to do", async () => {
    const page = await visit(open.url);
    await showMore(page);
    await requestToken(page, { "Duration in seconds": "1000" });
    const text = await page.getByRole("article").textContent();
    expect(text).toMatch(/400invalid_scope.*duration_seconds.*Meaning.*more life.*What to do.*TOKEN_DURATION/);
  });

  it("shows Coze's own error in the console", async () => {
    await app.control("PATCH", `/apps/${app.clientId}`, { active: false });
    const page = await visit(open.url);
    await requestToken(page, { "User id": "eve" });
    await app.control("PATCH", `/apps/${app.clientId}`, { active: true });
    expect(await page.getByRole("article").textContent()).toMatch(/502upstream_rejected.*Coze says.*access_deny/);
  });

  it("says in the console that there was no response", async () => {
    const page = await visit(open.url);
    await page.context().setOffline(true);
    await requestToken(page, {});
    expect(await page.getByRole("article").textContent()).toContain("There was no response");
  });
});

describe("the console of a closed service", () => {
  it("shows lines in the console that get a token from a closed service with a credential", async () => {
    const page = await visit(closed.url);
    expect(await page.getByText("This service is open").count()).toBe(0);
    const line = (await snippetOf(page, "One request")).replace("CREDENTIAL", API_KEY);
    expect(JSON.parse(await runInShell(line))).toHaveProperty("access_token");

    await page.getByRole("tab", { name: "Script" }).click();
    expect(JSON.parse(await runInShell(await snippetOf(page, "Shell"), { KEY: API_KEY }))).toHaveProperty(
      "access_token",
    );
    expect(await runInNode(await snippetOf(page, "Node.js"), { KEY: API_KEY })).toMatch(/^czs_/);
  });

  it("shows lines in the console with which a GitHub Actions job gets a token", async () => {
    const page = await visit(closed.url);
    await page.getByRole("tab", { name: "Script" }).click();
    const [, script = ""] = (await snippetOf(page, "GitHub Actions")).split("- run: |");
    await using github = await serveJobTokens();
    const folder = await mkdtemp(join(tmpdir(), "console-test-"));
    const [output, written] = await runInShell(script, { ...github.env, GITHUB_ENV: join(folder, "env") })
      .then(async (output) => [output, await readFile(join(folder, "env"), "utf8")])
      .finally(() => rm(folder, { recursive: true }));

    expect(github.audiences()).toEqual([new URL(closed.url).origin]);
    expect(written).toMatch(/^COZE_TOKEN=czs_[\w-]+\n$/);
    expect(output).toBe(written?.replace("COZE_TOKEN=", "::add-mask::"));
  });

  it("gets a token in the console with an API key, and stores neither", async () => {
    const page = await visit(closed.url);
    await page.getByRole("tab", { name: "Script" }).click();
    await requestToken(page, { "API key": API_KEY });
    expect(await page.getByRole("article").textContent()).toContain("czs_");
    const stored = await page.evaluate(
      "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])",
    );
    expect(stored).not.toContain(API_KEY);
    expect(stored).not.toContain("czs_");

    await page.reload();
    expect(await field(page, "API key").inputValue()).toBe("");
  });
});

describe("the console of a service with wrong settings", () => {
  it("names every issue with the settings in the console, and what to do about it", async () => {
    await using broken = await serveWorker(app, { KID: "", TOKEN_DURATION: "0", ALLOWED_ORIGIN: "*" });
    const page = await visit(broken.url);
    const issues = await page.locator(".issues > li").allTextContents();
    expect(issues.toSorted()).toEqual([
      expect.stringMatching(/^ALLOWED_ORIGIN is not a setting; did you mean ALLOWED_ORIGINS\?Rename or remove/),
      expect.stringMatching(/^KID is required.*wrangler\.toml/),
      expect.stringMatching(/^TOKEN_DURATION must be a whole number.*wrangler\.toml/),
    ]);
  });
});

describe("the console", () => {
  it.each([
    ["en-GB", "Short-lived Coze access tokens"],
    ["zh-TW", "短期有效的 Coze（扣子）访问令牌"],
    ["fr-FR", "Short-lived Coze access tokens"],
  ])("chooses the console's language for a browser that prefers %s", async (locale, heading) => {
    const page = await visit(open.url, { locale });
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(heading);
  });

  it("changes the console's language in place, and remembers the choice", async () => {
    const page = await visit(open.url);
    await requestToken(page, { "User id": "ada" });
    await page.getByRole("button", { name: "中文" }).click();
    expect(await page.getByRole("article").textContent()).toContain("剩余时间");
    expect(await field(page, "用户 ID").inputValue()).toBe("ada");
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");

    await page.reload();
    await page.getByRole("tab", { name: "脚本" }).waitFor();
  });

  it("shows strangers no more in the console than /health says", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(open.deployedUrl);
    await page.getByRole("tab", { name: "Operation" }).click();

    expect(requests).toEqual([open.deployedUrl, `${open.deployedUrl}health`]);
    expect(await page.getByText("On this machine").count()).toBe(0);
    expect(await page.getByRole("table").count()).toBe(0);
  });

  it("loads nothing into the console from elsewhere, and violates none of its policy", async () => {
    const page = await visit(open.url);
    const elsewhere: string[] = [];
    const violations: string[] = [];
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(open.url).origin) elsewhere.push(request.url());
    });
    page.on("console", (message) => {
      if (message.text().includes("violation")) violations.push(message.text());
    });
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (event) => console.log('violation', event.violatedDirective, event.blockedURI))",
    );
    await page.reload();
    await requestToken(page, { "User id": "ada" });
    for (const tab of await page.getByRole("tab").all()) await tab.click();
    await page.getByRole("button", { name: "中文" }).click();
    expect({ elsewhere, violations }).toEqual({ elsewhere: [], violations: [] });

    // What the events are like, so that their absence means something.
    await page.evaluate("document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.example.net/x' }))");
    await expect.poll(() => violations, { timeout: 10_000 }).toEqual([expect.stringContaining("img-src")]);
  });

  it("works in the console with the keyboard alone", async () => {
    const page = await visit(open.url);
    await tabTo(page, "Web page");
    await page.keyboard.press("ArrowRight");
    expect(await focused(page)).toBe("Script");
    expect(await page.getByRole("tabpanel", { name: "Script" }).isVisible()).toBe(true);

    await tabTo(page, "User id");
    await page.keyboard.type("ada");
    await page.keyboard.press("Enter");
    await page.getByRole("article").waitFor();
    expect(await page.getByRole("status").textContent()).toMatch(/^Token received, valid for 1\d min/);
    await tabTo(page, "Reveal");
    await page.keyboard.press("Space");
    expect(await page.locator(".token").textContent()).toMatch(/^czs_[\w-]+$/);

    await page.keyboard.press("Control+Home");
    await tabTo(page, "中文");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("脚本");
  });

  it("names the pages of the repository in the console's language", async () => {
    const page = await visit(`${open.url}#operation`, { locale: "zh-CN" });
    const panel = page.getByRole("tabpanel").filter({ visible: true });
    expect(await panel.textContent()).toContain("docs/callers.zh-CN.md");
    await page.getByRole("button", { name: "English" }).click();
    expect(await panel.textContent()).toContain("docs/callers.md");
  });

  it("opens the tab of the console that the URL names", async () => {
    const page = await visit(`${open.url}#operation`);
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Operation");
  });
});

/** Presses Tab until the element with this text or label has the focus, and the focus can be seen. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  while (passed.length < 60) {
    await page.keyboard.press("Tab");
    const found = await focused(page);
    if (found === name) {
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
      return;
    }
    passed.push(found);
  }
  throw new Error(`The keyboard does not reach ${name}, only ${passed.join(", ")}.`);
}

function focused(page: Page): Promise<string> {
  return page.evaluate("document.activeElement.labels?.[0]?.textContent || document.activeElement.textContent");
}
