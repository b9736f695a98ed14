import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

/** What Cloudflare loads before the first request: the one module of the Worker, minified and compressed. */
const MAX_BUNDLE_BYTES = 64 * 1024;

describe("wrangler deploy --dry-run", () => {
  it.each(["", "staging", "production"])("builds environment %j within the size budget", async (environment) => {
    const folder = await mkdtemp(join(tmpdir(), "coze-token-worker-bundle-"));
    try {
      const command = ["deploy", "--dry-run", "--outdir", folder, `--env=${environment}`];
      const { stdout } = await promisify(execFile)("wrangler", command);
      expect(stdout).toContain("TOKEN_CACHE");
      const size = gzipSync(await readFile(join(folder, "index.js"))).byteLength;
      expect(size).toBeGreaterThan(1024);
      expect(size).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
