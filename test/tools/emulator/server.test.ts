import { describe, expect, it } from "vitest";
import { createEmulator } from "../../../tools/emulator/emulator.ts";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { startRig, TOKEN_PATH } from "./harness.ts";

const GLOBALS = { Request: globalThis.Request, Response: globalThis.Response };

describe("startEmulator", () => {
  it("starts the emulator on a free loopback port, and says where", async () => {
    const emulator = await startEmulator();

    expect(emulator.url).toBe(`http://127.0.0.1:${emulator.port}`);
    expect((await fetch(`${emulator.url}/emulator/health`)).status).toBe(200);
    await emulator.close();
  });

  it("says where a client reaches an emulator that listens on every address", async () => {
    const emulator = await startEmulator({ host: "0.0.0.0" });

    expect(emulator.url).toBe(`http://127.0.0.1:${emulator.port}`);
    expect((await fetch(`${emulator.url}/emulator/health`)).status).toBe(200);
    await emulator.close();
  });

  it("rejects with EADDRINUSE when the port of the emulator is taken", async () => {
    const emulator = await startEmulator();

    await expect(startEmulator({ port: emulator.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await emulator.close();
  });

  it("shares nothing between two emulators", async () => {
    const [first, second] = await Promise.all([startRig(), startRig()]);
    await first.exchange();

    expect(await first.exchanges()).toHaveLength(1);
    expect(await second.exchanges()).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });

  it("does not replace the global Request and Response", async () => {
    const emulator = await startEmulator();

    expect(globalThis.Request).toBe(GLOBALS.Request);
    expect(globalThis.Response).toBe(GLOBALS.Response);
    await emulator.close();
  });
});

describe("close", () => {
  it.each([
    ["hanging", { hang: true }],
    ["delayed", { delay_ms: 60_000 }],
  ])("ends a %s exchange at once when the emulator closes", async (_, fault) => {
    const rig = await startRig();
    await rig.control("POST", "/faults", fault);
    const ending = expect(rig.exchange()).rejects.toThrow("fetch failed");
    while ((await rig.exchanges()).length === 0);

    const before = performance.now();
    await rig.close();

    await ending;
    expect(performance.now() - before).toBeLessThan(500);
  });

  it("stops listening when the emulator closes, even if it is closed twice", async () => {
    const emulator = await startEmulator();
    await emulator.close();
    await emulator.close();

    await expect(fetch(`${emulator.url}/emulator/health`)).rejects.toThrow("fetch failed");
  });
});

describe("without a socket", () => {
  it("drops a connection without a socket by a response whose body fails", async () => {
    const response = await exchangeWithFault({ drop: true });

    await expect(response.text()).rejects.toThrow("The emulator dropped this connection");
  });

  it("ends a hanging exchange without a socket by its client's signal", async () => {
    const client = new AbortController();
    const hanging = exchangeWithFault({ hang: true }, client.signal);
    client.abort();

    await expect((await hanging).text()).rejects.toThrow("The emulator dropped this connection");
  });

  it("drops a connection in the way that is given as an argument", async () => {
    const emulator = createEmulator({ dropConnection: (c) => c.text("dropped", 418) });
    await emulator.request("http://localhost/emulator/faults", { method: "POST", body: '{"drop":true}' });

    expect((await emulator.request(TOKEN_PATH, { method: "POST" })).status).toBe(418);
  });

  async function exchangeWithFault(fault: unknown, signal?: AbortSignal): Promise<Response> {
    const emulator = createEmulator();
    await emulator.request("http://localhost/emulator/faults", { method: "POST", body: JSON.stringify(fault) });
    return emulator.request(TOKEN_PATH, { method: "POST", ...(signal === undefined ? {} : { signal }) });
  }
});
