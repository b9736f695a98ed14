import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { findFreePort, processesOn } from "./processes.ts";
import { createProject } from "./project.ts";
import { requestToken, runService, startService } from "./service.ts";

describe("the ports", () => {
  it.each([
    ["--port", "PORT"],
    ["--emulator-port", "EMULATOR_PORT"],
  ])("reports a taken port with how to choose another by %s", async (option, variable) => {
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

  it("reads ports from the environment, so that two runs on different ones do not disturb each other", async () => {
    using project = createProject();
    const [port, emulatorPort] = [await findFreePort(), await findFreePort()];
    await using one = await startService(project);
    await using two = runService(project, { env: { PORT: String(port), EMULATOR_PORT: String(emulatorPort) } });
    const url = `http://127.0.0.1:${port}/`;
    await two.says(`Ready. ${url} hands out tokens of a Coze emulator (http://127.0.0.1:${emulatorPort})`);

    const [ofOne, ofTwo] = [await one.requestToken("ann"), await requestToken(url, "ann")];
    one.signal("SIGINT");
    const { code, stderr } = await one.ended;
    const ofTwoAlone = await requestToken(url, "bob");

    expect([ofOne.status, ofTwo.status, ofTwoAlone.status]).toEqual([200, 200, 200]);
    expect(ofTwo.body["access_token"]).not.toBe(ofOne.body["access_token"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

async function takePort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
