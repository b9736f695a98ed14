import { describe, expect, it, vi } from "vitest";
import { findFreePort, isPortTaken, survivors } from "./processes.ts";
import { createProject } from "./project.ts";
import { runService, startService } from "./service.ts";

const WORKERD = /workerd serve/;

describe("the end", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("comes with %s, for every process and file", async (signal) => {
    using project = createProject();
    await using service = await startService(project);
    await service.requestToken("ann");
    const processes = service.processes();

    service.signal(signal);
    const { code, stderr } = await service.ended;

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(processes.filter(({ command }) => WORKERD.test(command))).not.toEqual([]);
    expect(survivors(processes)).toEqual([]);
    expect(await isPortTaken(service.port)).toBe(false);
    expect(await isPortTaken(Number(new URL(service.emulator).port))).toBe(false);
    expect(project.foldersLeft()).toEqual([]);
  });

  it("comes with Ctrl-C while it starts, too", async () => {
    using project = createProject();
    await using service = runService(project, { args: ["--port", String(await findFreePort())] });
    await service.says("Starting");
    await vi.waitFor(() => expect(service.processes().some(({ command }) => WORKERD.test(command))).toBe(true), 20_000);
    const processes = service.processes();

    service.signal("SIGINT");

    expect((await service.ended).code).toBe(0);
    expect(survivors(processes)).toEqual([]);
    expect(project.foldersLeft()).toEqual([]);
  });

  it("comes when nobody reads its output any more", async () => {
    using project = createProject();
    await using service = await startService(project);
    const processes = service.processes();

    service.child.stdout.destroy();
    // Its request line cannot be written; the answer may be lost with the service.
    const answer = service.requestToken("ann").catch(() => undefined);

    expect(await service.ended).toMatchObject({ code: 0, stderr: "" });
    expect(survivors(processes)).toEqual([]);
    expect(project.foldersLeft()).toEqual([]);
    await answer;
  });

  it("comes for the Worker even when the process that started it is killed", async () => {
    using project = createProject();
    await using service = await startService(project);
    const processes = service.processes();

    service.child.kill("SIGKILL");

    await vi.waitFor(() => expect(survivors(processes)).toEqual([]), 20_000);
    expect(await isPortTaken(service.port)).toBe(false);
  });
});
