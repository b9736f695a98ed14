import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

const EVERYTHING = { statements: 100, branches: 100, functions: 100, lines: 100 };
const PATIENCE = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    sequence: { shuffle: true },
    // Many tests wait for a deadline; by default one processor would be left unused.
    maxWorkers: "100%",
    // What the Worker logs is of interest only where a test fails.
    silent: "passed-only",
    coverage: {
      provider: "istanbul",
      include: ["src/**/*.ts"],
      thresholds: { "src/core/**": EVERYTHING, "src/http/**": EVERYTHING },
    },
    projects: [
      {
        // The parts of the Worker that need nothing of the runtime, in plain Node.
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], isolate: false },
      },
      {
        // The Worker over HTTP, inside workerd, with the bindings of test/wrangler.toml.
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/wrangler.toml" } })],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          exclude: ["**/*.slow.test.ts"],
          // The files share a workerd: each sets up its own apps, issuers and Workers.
          isolate: false,
          globalSetup: [
            "test/support/assets-setup.ts",
            "test/support/emulator-setup.ts",
            "test/support/stand-in-setup.ts",
          ],
          ...PATIENCE,
        },
      },
      {
        // The built bundle on raw workerd, and what runs on a developer's machine.
        test: {
          name: "node",
          include: ["test/deployed/**/*.test.ts", "test/tools/**/*.test.ts"],
          exclude: ["**/*.slow.test.ts"],
          ...PATIENCE,
        },
      },
      {
        // Chromium against the console and the client module.
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: ["test/support/emulator-setup.ts", "test/support/stand-in-setup.ts"],
          ...PATIENCE,
        },
      },
      {
        // Minutes: fuzz and soak, whole runs of `npm start`, what waits for the end of a token, dialogues in a terminal.
        test: { name: "slow", include: ["test/**/*.slow.test.ts"], ...PATIENCE },
      },
    ],
  },
});
