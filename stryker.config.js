// Mutation testing of src/core, see docs/mutation-testing.md.

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
const options = {
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutation.config.ts" },
  mutate: ["src/core/**/*.ts"],
  // All but what the tests of src/core need. tsconfig.json stays out, because Stryker would rewrite it through an API that
  // TypeScript 7 no longer has.
  ignorePatterns: [
    "**",
    "!src/core/**",
    "!test/unit/core/**",
    "!test/support/**",
    "!package.json",
    "!vitest.mutation.config.ts",
  ],
  reporters: ["progress", "clear-text", "html", "json"],
  clearTextReporter: { reportTests: false },
  htmlReporter: { fileName: "reports/mutation/mutation.html" },
  jsonReporter: { fileName: "reports/mutation/mutation.json" },
  tempDirName: ".stryker-tmp",
};

// biome-ignore lint/style/noDefaultExport: Stryker asks for one.
export default options;
