import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coze-token-worker-bench-test-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** Its temporary folders are made where the test can see whether they are left behind. */
function runBench(...options: readonly string[]) {
  const env = { ...process.env, TMPDIR: folder };
  return promisify(execFile)(process.execPath, ["tools/bench/main.ts", ...options], { env });
}

describe("npm run bench", () => {
  it("measures single rows of npm run bench, prints a table, writes JSON, and leaves nothing behind", async () => {
    const file = join(folder, "new", "bench.json");
    const { stdout } = await runBench("--quick", "--enforce", "--json", file, "--row", "bundle", "client", "one-user");
    expect(stdout).toContain("≤ 48 KiB");
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      effort: { rounds: expect.any(Number) },
      rows: [
        { name: "one-user", budget: { rule: "exactly", limit: 1 }, value: { median: 1 }, met: true },
        { name: "bundle", met: true },
        { name: "client", met: true },
      ],
    });
    expect((await readdir(folder)).filter((name) => name.startsWith("coze-token-worker"))).toEqual([]);
  }, 120_000);

  it("names the rows of npm run bench when asked for an unknown one", async () => {
    await expect(runBench("--row", "everything")).rejects.toMatchObject({
      stderr: expect.stringContaining("memory-hit, "),
    });
  });
});
