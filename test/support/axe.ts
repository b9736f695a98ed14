import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Puts axe-core into a page. Its context needs `bypassCSP`: the policy of a page keeps axe out, too. */
export async function loadAxe(page: Page): Promise<void> {
  await page.addScriptTag({ content: AXE });
}

/** What axe finds wrong with a page as it is now, each with the elements. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
