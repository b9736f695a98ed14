import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("shows in docs/performance.md what npm run simulate prints", { timeout: 300_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["tools/simulate/main.ts"]);
  const [, ...simulated] = stdout.split("\n").filter((line) => line.startsWith("│"));
  const rows = simulated.map((line) =>
    line
      .split("│")
      .map((cell) => cell.trim())
      .join(" | ")
      .trim(),
  );
  expect(rows).toHaveLength(8);

  const page = await readFile("docs/performance.md", "utf8");
  expect(page.split("\n").filter((line) => rows.includes(line))).toEqual(rows);
});
