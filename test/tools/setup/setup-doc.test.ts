import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { ROOT } from "../examples/service.ts";

const PAGE = readFileSync(join(ROOT, "docs/setup.md"), "utf8");

it.each(["setup", "doctor", "deploy"])("uses in docs/setup.md only options that npm run %s has", async (command) => {
  const { stdout } = await promisify(execFile)(process.execPath, [`tools/${command}/main.ts`, "--help"], { cwd: ROOT });
  const lines = PAGE.match(new RegExp(`npm run ${command}\\b[^\`\n]*`, "g")) ?? [];
  const used = lines.flatMap((line) => line.match(/ --[a-z][\w-]*/g) ?? []);
  expect(used.length).toBeGreaterThan(0);
  for (const option of used) expect(stdout).toContain(option);
});
