import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { findFreePort, processesOn } from "./processes.ts";
import { createProject } from "./project.ts";
import { runService, startService } from "./service.ts";

describe("the ports", () => {
  it.each([
    ["--port", "PORT"],
    ["--emulator-port", "EMULATOR_PORT"],
  ])("of %s may be taken, which is said in one sentence with the way out", async (option, variable) => {
    using project = createProject();
    await using taken = await takePort();
    const args = option === "--port" ? [] : ["--port", String(await findFreePort())];

    const { code, stderr } = await runService(project, { args: [...args, option, String(taken.port)] }).ended;

    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `Port ${taken.port} is taken. Choose another one: npm start -- ${option} 8790, or ${variable}=8790 npm start.\n`,
    });
    expect(processesOn(taken.port)).toEqual([]);
    expect(project.foldersLeft()).toEqual([]);
  });

  it("come from the environment, too", async () => {
    using project = createProject();
    const [port, emulatorPort] = [await findFreePort(), await findFreePort()];
    await using service = runService(project, { env: { PORT: String(port), EMULATOR_PORT: String(emulatorPort) } });

    await service.says(
      `Ready. http://127.0.0.1:${port}/ hands out tokens of a Coze emulator (http://127.0.0.1:${emulatorPort})`,
    );
  });

  it("let two run side by side, each with an emulator and tokens of its own", async () => {
    using project = createProject();
    const both = await Promise.all([startService(project), startService(project)]);
    await using one = both[0];
    await using two = both[1];

    const tokens = await Promise.all([one, two, one, two].map((service) => service.requestToken("ann")));
    expect(tokens.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(one.emulator).not.toBe(two.emulator);

    one.signal("SIGINT");
    expect(await one.ended).toMatchObject({ code: 0, stderr: "" });
    expect((await two.requestToken("bob")).status).toBe(200);
  });
});

async function takePort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
