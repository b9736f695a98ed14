import { afterEach, describe, expect, it, vi } from "vitest";
import { launchBrowser } from "../support/browser.ts";

afterEach(() => vi.unstubAllEnvs());

describe("a browser test", () => {
  it("says which browser to install when there is none", async () => {
    vi.stubEnv("CHROMIUM", "/nowhere/chromium");
    await expect(launchBrowser()).rejects.toThrow("There is no browser at /nowhere/chromium. Install Chromium");
  });
});
