import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { findFreePort } from "./processes.ts";
import { createProject, wranglerToml } from "./project.ts";
import { runService, startService } from "./service.ts";

const API_KEY = "the-key-of-the-report";
const KEY_SHA256 = sha256Hex(API_KEY);
const TOML_CALLER = `${wranglerToml({})}\n[[vars.CALLERS]]\nname = "visitors"\nanonymous = true\n`;

describe("npm start -- --callers", () => {
  it("takes callers from the file of --callers instead of wrangler.toml, and says so", async () => {
    using project = createProject({
      "wrangler.toml": TOML_CALLER,
      "callers.json": JSON.stringify([{ name: "report", key_sha256: KEY_SHA256 }]),
    });
    await using service = await startService(project, { args: ["--callers", "callers.json"] });

    const refused = await service.requestToken("ann");
    const granted = await fetch(service.url, { method: "POST", headers: { Authorization: `Bearer ${API_KEY}` } });

    expect([refused.status, granted.status]).toEqual([401, 200]);
    await service.says("The callers are those of callers.json: edits apply after a restart.\n");
  });

  it("names the file of --callers if its callers are wrong", async () => {
    using project = createProject({ "callers.json": '[{"name":"report"}]' });
    const port = await findFreePort();

    const { code, stderr } = await runService(project, { args: ["--callers", "callers.json", "--port", `${port}`] })
      .ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/^callers\.json: CALLERS\[0\]/);
  });

  it.each([
    ["nowhere.json", "The callers in nowhere.json cannot be read (ENOENT).\n"],
    ["wrangler.toml", "The callers in wrangler.toml are not JSON.\n"],
  ])("refuses %s as --callers, in one sentence", async (file, stderr) => {
    using project = createProject();

    expect(await runService(project, { args: ["--callers", file] }).ended).toEqual({ code: 1, stdout: "", stderr });
  });
});
