import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEmulator } from "../../../tools/emulator/emulator.ts";
import { isLoopbackHost } from "../../../tools/lib/loopback-host.ts";
import { type Rig, startRig } from "./harness.ts";

describe("the control API", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());

  it("reports by the control API that the emulator runs", async () => {
    expect(await rig.control("GET", "/health")).toEqual({ status: 200, body: { status: "ok" } });
  });

  it.each([
    ["GET", ""],
    ["GET", "/apps"],
    ["POST", "/exchanges"],
    ["POST", "/tokens/forget"],
    ["GET", "/nothing"],
  ])("responds with 404 to the unknown control path %s %s", async (method, path) => {
    expect(await rig.control(method, path)).toEqual({
      status: 404,
      body: { error: "not_found", problem: `no such control request: ${method} /emulator${path}` },
    });
  });

  it.each(["/apps", "/faults", "/tokens/expire", "/tokens/revoke"])(
    "refuses a control request to %s whose body is not JSON",
    async (path) => {
      const response = await fetch(`${rig.url}/emulator${path}`, { method: "POST", body: "{" });

      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: "invalid_request", problem: "body: is not JSON" });
    },
  );

  it.each([
    ["GET", "/exchanges"],
    ["DELETE", "/exchanges"],
    ["GET", "/faults"],
    ["DELETE", "/faults"],
  ])("refuses a misspelt filter of the control request %s %s", async (method, path) => {
    expect(await rig.control(method, `${path}?clientid=1`)).toEqual({
      status: 400,
      body: { error: "invalid_request", problem: "clientid: is not a known property" },
    });
  });
});

describe("for a request that is not local", () => {
  it.each([
    ["GET", "/emulator/health"],
    ["GET", "/emulator/exchanges"],
    ["POST", "/emulator/apps"],
    ["DELETE", "/emulator/faults"],
    ["GET", "/emulator"],
  ])("treats %s %s as an unknown path for a request that is not local", async (method, path) => {
    const emulator = createEmulator({ isLocal: () => false });

    const response = await emulator.request(`http://localhost${path}`, { method });

    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      code: 4200,
      msg: "resource not found",
      detail: { logid: response.headers.get("x-tt-logid") },
    });
  });

  it("serves the token endpoint to requests that are not local", async () => {
    const emulator = createEmulator({ isLocal: () => false });

    const response = await emulator.request("http://api.coze.cn/api/permission/oauth2/token", { method: "POST" });

    expect(response.status).toBe(401);
  });

  it.each([
    ["http://localhost:4000", 200],
    ["http://127.0.0.1:4000", 200],
    ["http://[::1]:4000", 200],
    ["http://example.com", 404],
    ["http://10.0.0.1", 404],
    ["http://0.0.0.0:4000", 404],
    ["http://127.0.0.1.example.com:4000", 404],
  ])(
    "serves the control API under loopback hosts only, wherever a request comes from: %s gets %d",
    async (origin, status) => {
      const response = await createEmulator({ isLocal: () => true }).request(`${origin}/emulator/health`);

      expect(response.status).toBe(status);
    },
  );
});

describe("loopback", () => {
  it.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "[::1]", "localhost", "LOCALHOST", "coze.localhost"])(
    "treats %s as loopback",
    (host) => expect(isLoopbackHost(host)).toBe(true),
  );

  it.each(["10.0.0.1", "::ffff:10.0.0.1", "::2", "", "127.0.0.1.example.com", "localhost.example.com", "notlocalhost"])(
    "does not treat %j as loopback",
    (host) => expect(isLoopbackHost(host)).toBe(false),
  );
});
