import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import { bundleScript } from "./bundle-script.ts";

const CONSOLE = join(import.meta.dirname, "../../src/console");

/** The page of the console, which loads nothing, and the policy that lets its own script and style run. */
export type ConsolePage = { readonly html: string; readonly contentSecurityPolicy: string };

/**
 * Builds the console into one HTML file: style and script stand in the page.
 * @throws Error with esbuild's message.
 */
export async function buildConsolePage(): Promise<ConsolePage> {
  const [template, css, script] = await Promise.all([
    readFile(join(CONSOLE, "console.html"), "utf8"),
    readFile(join(CONSOLE, "console.css"), "utf8"),
    bundleScript(join(CONSOLE, "console.ts"), "iife"),
  ]);
  const { code: style } = await transform(css, { loader: "css", minify: true });
  const html = fill(
    fill(template, "<!-- style -->", `<style>${style}</style>`),
    "<!-- script -->",
    `<script>${script}</script>`,
  );
  return { html, contentSecurityPolicy: policyFor(script, style) };
}

function fill(template: string, place: string, content: string): string {
  if (template.split(place).length !== 2) throw new Error(`console.html must have exactly one ${place}.`);
  return template.replace(place, () => content);
}

/** Only what stands in the page runs, and the page talks to its own service only (CSP Level 3). */
function policyFor(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function hashSource(content: string): string {
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}
