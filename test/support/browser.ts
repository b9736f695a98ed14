import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { createTestHarness } from "wrangler";
import type { TestApp } from "./coze.ts";
import { SHIPPED_TOML_PATH } from "./shipped-toml.ts";

/** Where Debian, Ubuntu, Fedora and macOS install Chromium or Chrome. */
const USUAL_PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Names below example.com lead to this machine, so that a page can be on another site, or not on loopback. */
const EXAMPLE_HOSTS = "--host-resolver-rules=MAP *.example.com 127.0.0.1";

/**
 * Starts the browser that the environment variable CHROMIUM names, or else the one that is installed.
 * @throws Error that says what to install.
 */
export async function launchBrowser(): Promise<Browser> {
  const { CHROMIUM } = process.env;
  const executablePath = CHROMIUM ?? USUAL_PATHS.find((path) => existsSync(path));
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `There is no browser${CHROMIUM === undefined ? "" : ` at ${CHROMIUM}`}. Install Chromium (Debian: apt-get install chromium), or set CHROMIUM to the path of one.`,
    );
  }
  // Chromium has no sandbox for root, whom containers often run as.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, args: [EXAMPLE_HOSTS, ...(isRoot ? ["--no-sandbox"] : [])] });
}

/** A Worker that a browser can reach. Disposing of it ends it. */
export type ServedWorker = AsyncDisposable & {
  /** With a trailing slash. */
  readonly url: string;
  /** The same Worker on a host that is not loopback, as a deployment is, in browsers from `launchBrowser`. */
  readonly deployedUrl: string;
};

/** Serves the Worker as it is deployed, with its static assets, for an app of the emulator and with more settings. */
export async function serveWorker(app: TestApp, settings: Readonly<Record<string, unknown>> = {}) {
  const { PRIVATE_KEY, ...vars } = { ...app.settings, ...settings };
  const harness = createTestHarness({
    workers: [
      {
        configPath: SHIPPED_TOML_PATH,
        vars: vars as Record<string, string>, // or tables, which the type leaves out
        secrets: { PRIVATE_KEY: String(PRIVATE_KEY) },
      },
    ],
  });
  const { url } = await harness.listen();
  return {
    url: url.href,
    deployedUrl: `http://token.example.com:${url.port}/`,
    [Symbol.asyncDispose]: () => harness.close(),
  } satisfies ServedWorker;
}
