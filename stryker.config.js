// Mutation testing of src/core, see docs/mutation-testing.md.

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
const options = {
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutation.config.ts" },
  mutate: ["src/core/**/*.ts"],
  // What the tests of src/core do not need. tsconfig.json is among it: Stryker would rewrite it with an API that TypeScript 7 has no more.
  ignorePatterns: ["**", "!src/core/**", "!test/core/**", "!package.json", "!vitest.mutation.config.ts"],
  reporters: ["clear-text", "html", "json"],
  htmlReporter: { fileName: "reports/mutation/mutation.html" },
  jsonReporter: { fileName: "reports/mutation/mutation.json" },
  tempDirName: ".stryker-tmp",
};

// biome-ignore lint/style/noDefaultExport: Stryker asks for one.
export default options;
