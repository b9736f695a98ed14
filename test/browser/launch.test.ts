import { afterEach, describe, expect, it, vi } from "vitest";
import { launchBrowser } from "../support/browser.ts";

afterEach(() => vi.unstubAllEnvs());

describe("a browser test", () => {
  it("says what to install if there is no browser", async () => {
    vi.stubEnv("CHROMIUM", "/nowhere/chromium");
    await expect(launchBrowser()).rejects.toThrow("There is no browser at /nowhere/chromium. Install Chromium");
  });
});
