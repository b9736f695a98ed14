import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { axeViolations, loadAxe } from "../support/axe.ts";
import { launchBrowser } from "../support/browser.ts";
import { createTestIssuer, type TestIssuer } from "../support/issuer.ts";
import { createProject, wranglerToml } from "../tools/start/project.ts";
import { type StartedService, startService } from "../tools/start/service.ts";

const API_KEY = "ctw_K5pXz0m3Qy7vT1nB8cRf2wJd6hGs4aLe9uYiOxPqVtE";

const project = createProject();
let browser: Browser;
let issuer: TestIssuer;
let service: StartedService;

beforeAll(async () => {
  issuer = await createTestIssuer({ issuersUrl: inject("issuersUrl") });
  const callers = [
    { name: "nightly-report", key_sha256: sha256Hex(API_KEY) },
    { name: "web-users", issuer: issuer.issuer, audience: "app", claims: { role: "member" } },
  ];
  writeFileSync(join(project.root, "wrangler.toml"), wranglerToml({ CALLERS: JSON.stringify(callers) }));
  [browser, service] = await Promise.all([launchBrowser(), startService(project)]);
});

afterAll(async () => {
  await Promise.all([browser.close(), service[Symbol.asyncDispose]()]);
  project[Symbol.dispose]();
});

async function visit(path: string): Promise<Page> {
  const page = await browser.newPage({ locale: "en-US" });
  await page.goto(service.url + path);
  await page.getByRole("tablist").waitFor();
  return page;
}

/** The cells of a row, by its first cell. */
async function row(page: Page, table: string, name: string): Promise<readonly string[]> {
  const found = page.getByRole("region", { name: table }).getByRole("row", { name });
  return found.first().locator("th, td").allTextContents();
}

/** What is said of a credential. */
async function explain(page: Page, credential: string): Promise<string> {
  await page.getByLabel("JWT of a login").fill(credential);
  await page.getByRole("button", { name: "Which caller is it?" }).filter({ visible: true }).click();
  return (await page.getByRole("article").textContent()) ?? "";
}

describe("the console of npm start", () => {
  it("shows callers and settings in the console of npm start, without a secret or the digest of a key", async () => {
    const page = await visit("#operation");
    expect(await row(page, "Callers", "nightly-report")).toEqual(["nightly-report", "API key", ""]);
    expect((await row(page, "Callers", "web-users"))[2]).toContain(`issuer ${issuer.issuer}`);
    expect(await row(page, "Settings in force", "CLIENT_ID")).toEqual(["CLIENT_ID", "1000000000000000001", "set"]);
    expect(await row(page, "Settings in force", "TOKEN_DURATION")).toEqual(["TOKEN_DURATION", "900", "default"]);
    expect(await row(page, "Settings in force", "PRIVATE_KEY")).toEqual(["PRIVATE_KEY", "", "set"]);
    const content = await page.content();
    expect(content).not.toContain(sha256Hex(API_KEY));
    expect(content).not.toContain("PRIVATE KEY");
    await page.close();
  });

  it("shows the last requests in the console of npm start, those of its own form too", async () => {
    const page = await visit("#script");
    await page.getByLabel("API key", { exact: true }).fill(API_KEY);
    await page.getByRole("button", { name: "Request a token" }).filter({ visible: true }).click();
    await page.getByRole("article").waitFor();
    await page.getByRole("tab", { name: "Operation" }).click();
    await expect
      .poll(() => row(page, "Last requests", "POST /"), { timeout: 10_000 })
      .toEqual([expect.any(String), "POST /", "200", "miss", "nightly-report", expect.stringMatching(/ ms$/), ""]);
    await page.close();
  });

  it("explains in the console of npm start which caller a JWT has", async () => {
    const page = await visit("#web");
    const text = await explain(page, await issuer.sign({ sub: "ada", aud: "app", role: "member" }));
    expect(text).toContain("This is the caller web-users.");
    expect(text).toContain("Coze session: ada");
    expect(text).toContain("✓claims.role passesmember");
    await page.close();
  });

  it("explains in the console of npm start, claim by claim, why a JWT has no caller", async () => {
    const page = await visit("#web");
    const text = await explain(page, await issuer.sign({ sub: "ada", aud: "app", role: "guest" }));
    expect(text).toContain("No caller accepts this credential.");
    expect(text).toContain("✓signature passes");
    expect(text).toContain("✗claims.role failsExpectedmemberIn the credentialguest");
    await page.close();
  });

  it("arms a fault of the emulator from the console, and shows the error that follows", async () => {
    const page = await visit("#operation");
    await page.getByRole("button", { name: "Key unknown" }).click();
    await page.locator(".local").getByText("Armed: 1.").waitFor();

    await page.getByRole("tab", { name: "Script" }).click();
    await page.getByLabel("User id").filter({ visible: true }).fill("faulty");
    await page.getByLabel("API key", { exact: true }).fill(API_KEY);
    await page.getByRole("button", { name: "Request a token" }).filter({ visible: true }).click();
    await page.getByText("upstream_rejected").first().waitFor();
    await page.getByRole("tab", { name: "Operation" }).click();
    await page.locator(".local").getByText("Nothing is armed.").waitFor();
    await page.close();
  });

  it.each(["en", "zh-CN"])(
    "passes axe with the console of npm start in %s, at 360 px and at 1280 px",
    async (locale) => {
      const context = await browser.newContext({ locale, bypassCSP: true });
      const page = await context.newPage();
      await page.goto(service.url);
      await loadAxe(page);
      await page.locator("#web-credential").fill(await issuer.sign({ sub: "ada" }));
      await page.locator("#panel-web form button:not([type=submit])").click();
      await page.getByRole("article").waitFor();
      for (const tab of ["web", "operation"]) {
        await page.locator(`#tab-${tab}`).click();
        for (const width of [360, 1280]) {
          await page.setViewportSize({ width, height: 800 });
          expect(await axeViolations(page)).toEqual([]);
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        }
      }
      await context.close();
    },
  );

  it("refuses pages of other local ports the settings and faults of npm start", async () => {
    const page = await browser.newPage();
    // The emulator is such a port. It has no page, but any response has an origin.
    await page.goto(`${service.emulator}/emulator/health`);
    const attempt = (path: string, init: string) =>
      page.evaluate(`fetch("${service.url}${path}", ${init}).then((r) => r.status, () => "refused")`);
    expect(await attempt("local/overview", '{ method: "POST" }')).toBe("refused");
    expect(await attempt("local/faults", '{ method: "POST", body: \'{"fault":"silent"}\' }')).toBe("refused");
    expect(await attempt("local/faults", '{ method: "DELETE" }')).toBe("refused");

    const armed = await fetch(`${service.emulator}/emulator/faults`);
    expect(await armed.json()).toEqual({ faults: [] });
    await page.close();
  });
});
