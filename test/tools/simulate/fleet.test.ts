import { describe, expect, it } from "vitest";
import { createRandom } from "../../../tools/lib/random.ts";
import { createFleet } from "../../../tools/simulate/fleet.ts";
import { DEFAULT_MODEL } from "../../../tools/simulate/model.ts";

const MODEL = { ...DEFAULT_MODEL, isolatesPerLocation: 1, isolateIdleSeconds: 60, isolateLifeHours: 1e9 };
const LOCATIONS = 500;

/** The share of isolates that still run after ten minutes in which the simulated users sent nothing. */
function survivors(requestsPerSecond: number, othersShare: number): number {
  let seconds = 0;
  let started = 0;
  const fleet = createFleet({
    model: MODEL,
    createIsolate: () => {
      started += 1;
      return () => Promise.reject(new Error("It gets no request."));
    },
    requestsPerSecond: () => requestsPerSecond,
    othersShare,
    now: () => seconds * 1000,
    random: createRandom(1),
  });
  for (seconds of [0, 600]) {
    for (let location = 0; location < LOCATIONS; location += 1) fleet.serviceAt(location);
  }
  return 2 - started / LOCATIONS;
}

describe("the isolates of a sample", () => {
  it("ends an idle isolate of a sample when no other users keep it busy", () => {
    expect(survivors(1, 0)).toBe(0);
  });

  it("keeps an isolate of a sample running while many requests that are not simulated reach it", () => {
    expect(survivors(1, 0.9)).toBe(1);
  });

  it("ends isolates of a sample as often as the requests that are not simulated leave a gap", () => {
    // One in 20 s leaves a gap of 60 s with a chance of e^-3 before each of some 27: (1 - e^-3)^27 is about a quarter.
    expect(survivors(0.1, 0.5)).toBeGreaterThan(0.15);
    expect(survivors(0.1, 0.5)).toBeLessThan(0.4);
  });
});
