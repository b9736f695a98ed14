import { describe, expect, it, vi } from "vitest";
import { isPortTaken, survivors } from "./processes.ts";
import { createProject } from "./project.ts";
import { startService } from "./service.ts";

const NPM = { command: ["npm", "start", "--"] } as const;

describe("npm start", () => {
  it("ends npm start with Ctrl-C, and leaves nothing behind", async () => {
    using project = createProject();
    await using service = await startService(project, NPM);
    const processes = service.processes();
    const token = await service.requestToken("ann");

    service.signal("SIGINT");
    const { stderr } = await service.ended;

    expect(token.status).toBe(200);
    expect(stderr).not.toMatch(/npm error| {4}at /);
    await vi.waitFor(() => expect(survivors(processes)).toEqual([]), 20_000);
    expect(project.foldersLeft()).toEqual([]);
  });

  it("leaves nothing of npm start behind when npm is killed", async () => {
    using project = createProject();
    await using service = await startService(project, NPM);
    const processes = service.processes();

    service.child.kill("SIGKILL");

    await vi.waitFor(() => expect(survivors(processes)).toEqual([]), 20_000);
    expect(await isPortTaken(service.port)).toBe(false);
    expect(project.foldersLeft()).toEqual([]);
  });
});
