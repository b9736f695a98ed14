import { describe, expect, it, vi } from "vitest";
import { findFreePort, processesOn, survivors } from "./processes.ts";
import { createProject } from "./project.ts";
import { runService, startService } from "./service.ts";

const WITHOUT_BINDINGS = 'name = "bare"\nmain = "src/index.ts"\ncompatibility_date = "2026-11-01"\n';

describe("a failure of wrangler", () => {
  it.each([
    { fault: "code", files: { "src/app.ts": "export default {\n" }, words: "Build failed with 1 error:\n" },
    {
      fault: "start of the Worker",
      // A binding for a Worker that handles no events would be what workerd complains of first.
      files: { "src/index.ts": 'throw new Error("Oh no"); export default {};', "wrangler.toml": WITHOUT_BINDINGS },
      words: "Oh no",
    },
  ])("reports in wrangler's own words that it cannot run the $fault", async ({ files, words }) => {
    using project = createProject(files);
    const port = await findFreePort();

    const { code, stderr } = await runService(project, { args: ["--port", String(port)] }).ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/^wrangler cannot run the Worker:\n/);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/issues\/new|Logs were written|newer version|\n\n/);
    expect(processesOn(port)).toEqual([]);
    expect(project.foldersLeft()).toEqual([]);
  });

  it("ends the service when wrangler dies", async () => {
    using project = createProject();
    await using service = await startService(project);
    const processes = service.processes();
    const wrangler = processes.find(({ command }) => command.includes("wrangler-dist/cli.js"));

    process.kill(wrangler?.id ?? 0, "SIGKILL");
    const { code, stderr } = await service.ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/^wrangler, which runs the Worker, has ended \(.+\)\.\n$/);
    // They have been killed; on a busy machine it takes a moment until they are gone.
    await vi.waitFor(() => expect(survivors(processes)).toEqual([]), 20_000);
    expect(project.foldersLeft()).toEqual([]);
  });
});
