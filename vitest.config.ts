import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

const EVERYTHING = { statements: 100, branches: 100, functions: 100, lines: 100 };

export default defineConfig({
  test: {
    sequence: { shuffle: true },
    // What the Worker logs is of interest only where a test fails.
    silent: "passed-only",
    coverage: {
      provider: "istanbul",
      include: ["src/**/*.ts"],
      thresholds: { "src/core/**": EVERYTHING, "src/http/**": EVERYTHING },
    },
    projects: [
      {
        // The Worker and its parts, inside workerd, with the bindings of wrangler.toml.
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: ["test/tools/**"],
          globalSetup: ["test/support/emulator-setup.ts", "test/support/stand-in-setup.ts"],
        },
      },
      {
        // What runs on a developer's machine.
        test: { name: "node", include: ["test/tools/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
      },
    ],
  },
});
