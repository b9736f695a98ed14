import { describe, expect, it, vi } from "vitest";
import { findFreePort, isPortTaken, survivors } from "./processes.ts";
import { createProject } from "./project.ts";
import { runService, startService } from "./service.ts";

const WORKERD = /workerd serve/;

describe("the end", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "ends every process and removes every file of npm start on %s",
    async (signal) => {
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
    },
  );

  it("ends npm start on Ctrl-C while it is still starting", async () => {
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

  it("ends npm start when nobody reads its output any more", async () => {
    using project = createProject();
    await using service = await startService(project);
    const processes = service.processes();

    service.child.stdout.destroy();
    // Its request line cannot be written; the response may be lost with the service.
    const response = service.requestToken("ann").catch(() => undefined);

    expect(await service.ended).toMatchObject({ code: 0, stderr: "" });
    expect(survivors(processes)).toEqual([]);
    expect(project.foldersLeft()).toEqual([]);
    await response;
  });

  it("ends the Worker even when the process that started it is killed", async () => {
    using project = createProject();
    await using service = await startService(project);
    const processes = service.processes();

    service.child.kill("SIGKILL");

    await vi.waitFor(() => expect(survivors(processes)).toEqual([]), 20_000);
    expect(await isPortTaken(service.port)).toBe(false);
  });
});
