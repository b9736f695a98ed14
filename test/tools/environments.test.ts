import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { parseConfig } from "../../src/config/config.ts";

const TOML = `
name = "worker"
compatibility_date = "2026-11-01"

[[vars.CALLERS]]
name = "script"
key_sha256 = "${"ab".repeat(32)}"

[env.staging]

[[env.production.vars.CALLERS]]
name = "backend"
key_sha256 = "${"cd".repeat(32)}"
`;

let folder: string;
let config: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coze-token-worker-environments-"));
  config = join(folder, "wrangler.toml");
  await writeFile(config, TOML);
});

afterAll(() => rm(folder, { recursive: true }));

async function callerNames(env: string | undefined): Promise<readonly string[]> {
  const { vars } = readConfig({ config, env }, { hideWarnings: true });
  const parsed = await parseConfig({ CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: "key", ...vars });
  return "value" in parsed ? parsed.value.callers.map(({ name }) => name) : [];
}

describe("an environment of wrangler", () => {
  it("gives an environment of wrangler the callers of its own block only, and none without one", async () => {
    expect(await callerNames(undefined)).toEqual(["script"]);
    expect(await callerNames("production")).toEqual(["backend"]);
    expect(await callerNames("staging")).toEqual(["anyone"]);
  });
});
