import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parseCallers } from "../../../src/config/parse-callers.ts";

const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, ["tools/keygen/main.ts", ...args]);

describe("npm run keygen", () => {
  it("shows a new key each time, and the caller that authenticates it", async () => {
    const outputs = [(await run("nightly-report")).stdout, (await run("nightly-report")).stdout];
    const keys = outputs.map((output) => /^ {2}(ctw_[\w-]{43})$/m.exec(output)?.[1] ?? "");
    expect(new Set(keys).size).toBe(2);

    for (const [index, output] of outputs.entries()) {
      const digest = /key_sha256 = "([0-9a-f]{64})"/.exec(output)?.[1];
      expect(digest).toBe(
        createHash("sha256")
          .update(keys[index] ?? "")
          .digest("hex"),
      );
      expect(output).toContain('[[vars.CALLERS]]\n  name = "nightly-report"');
      expect(parseCallers([{ name: "nightly-report", key_sha256: digest }])).toHaveProperty("value");
    }
  });

  it.each([[[]], [["two", "names"]], [["a name with spaces"]], [["-"]], [["x".repeat(65)]]])(
    "refuses the arguments %j of npm run keygen with a sentence and its help",
    async (args) => {
      const { stderr, code } = await run(...args).then(
        () => ({ stderr: "", code: 0 }),
        (error: { stderr: string; code: number }) => error,
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: /);
      expect(stderr).toContain("Usage: npm run keygen -- [options] <name>");
    },
  );

  it("explains npm run keygen with --help", async () => {
    expect((await run("--help")).stdout).toContain("npm run keygen -- nightly-report");
  });
});
