import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEmulator, startEmulator } from "../../../tools/emulator/server.ts";
import { emulatorFaultsFor, isLocalFault } from "../../../tools/start/emulator-faults.ts";

const FAULTS = ["unavailable", "busy", "slow", "silent", "dropped", "unknown-key", "not-json"] as const;

describe("emulatorFaultsFor", () => {
  let emulator: RunningEmulator;

  beforeAll(async () => {
    emulator = await startEmulator();
  });

  afterAll(() => emulator.close());

  it("arms each fault of the console for its app alone, and disarms them", async () => {
    const tokenEndpoint = new URL("/api/permission/oauth2/token", emulator.url);
    const [faults, others] = [emulatorFaultsFor(tokenEndpoint, "7"), emulatorFaultsFor(tokenEndpoint, "8")];
    for (const [index, fault] of FAULTS.entries()) {
      await faults?.arm(fault);
      expect(await faults?.count()).toBe(index + 1);
    }
    expect(await others?.count()).toBe(0);
    await faults?.disarm();
    expect(await faults?.count()).toBe(0);
  });

  it("counts no armed faults where no emulator responds", async () => {
    const gone = await startEmulator();
    await gone.close();
    expect(await emulatorFaultsFor(new URL(gone.url), "7")?.count()).toBeUndefined();
  });

  it("finds no emulator at endpoints of other machines", () => {
    expect(emulatorFaultsFor(new URL("https://api.coze.cn/api/permission/oauth2/token"), "7")).toBeUndefined();
  });
});

describe("isLocalFault", () => {
  it("accepts only names of faults as a fault", () => {
    expect(FAULTS.filter(isLocalFault)).toEqual(FAULTS);
    expect(["", "toString", 1, null, undefined].filter(isLocalFault)).toEqual([]);
  });
});
