import { execFileSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { createProject, type Project, wranglerToml } from "./project.ts";
import { type StartedService, startService } from "./service.ts";

const API_KEY = "the-key-of-the-report";

const OPEN = wranglerToml({});
const CLOSED = `${OPEN}
[[vars.CALLERS]]
name = "report"
key_sha256 = "${sha256Hex(API_KEY)}"
`;

describe("npm start -- --emulator --json with a .dev.vars and a caller in wrangler.toml", () => {
  let project: Project;
  let service: StartedService;

  beforeAll(async () => {
    project = createProject({ ".dev.vars": "KID=wrong\n", "wrangler.toml": CLOSED });
    service = await startService(project, { args: ["--emulator", "--json"] });
  });

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    project[Symbol.dispose]();
  });

  it("gets tokens from the emulator in spite of .dev.vars, and prints a curl line for a credential", () => {
    const [, ready] = service.output().split("\n\n");
    const line = service
      .output()
      .match(/^ {2}(curl .*)$/m)?.[1]
      ?.replace("CREDENTIAL", API_KEY);
    const response = execFileSync("sh", ["-c", `${line} --silent`], { encoding: "utf8" });

    expect(ready).toBe(`Ready. ${service.url} hands out tokens of a Coze emulator (${service.emulator}).`);
    expect(service.output()).toContain("\nThe service is closed: replace CREDENTIAL with the API key of a caller");
    expect(JSON.parse(response)).toMatchObject({ token_type: "Bearer" });
  });

  it("prints with --json the log as in production, and nothing else", async () => {
    await service.requestToken("ann");
    await service.says('"error":"invalid_client"');
    const [, log = ""] = service.output().split("Stop: Ctrl-C\n\n");
    const entries = log
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

    expect(entries).toContainEqual(expect.objectContaining({ level: "warn", event: "token_request" }));
    for (const { event } of entries) expect(event).toMatch(/^(token_request|ready)$/);
  });

  it("applies every edit of wrangler.toml, whether an editor writes into the file or replaces it", async () => {
    const path = join(project.root, "wrangler.toml");
    const write = (text: string) => writeFileSync(path, text);
    const replace = (text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };

    for (const save of [replace, replace, replace, write]) {
      save(OPEN);
      await vi.waitFor(async () => expect((await service.requestToken("ann")).status).toBe(200), 10_000);
      save(CLOSED);
      await vi.waitFor(async () => expect((await service.requestToken("ann")).status).toBe(401), 10_000);
    }
  });
});
