import { describe, expect, it } from "vitest";
import { faultSchema } from "../../../tools/emulator/faults.ts";
import { createRandom } from "../../../tools/lib/random.ts";
import { createFault, FAULT_KINDS, faultSchedule } from "../../../tools/soak/fault-schedule.ts";
import { createUsers, planRequest } from "../../../tools/soak/request-plan.ts";

const scheduleFor = (seed: number) => faultSchedule(60_000, 3000, createRandom(seed));

const requestsFor = (seed: number) => {
  const random = createRandom(seed);
  const choices = { places: 2, users: createUsers(30), durationsSeconds: [20, undefined] };
  return Array.from({ length: 100 }, () => planRequest(choices, random));
};

describe("the plan of a run", () => {
  it("makes the same fault schedule and requests from the same seed", () => {
    expect(scheduleFor(1)).toEqual(scheduleFor(1));
    expect(scheduleFor(1)).not.toEqual(scheduleFor(2));
    expect(requestsFor(1)).toEqual(requestsFor(1));
    expect(requestsFor(1)).not.toEqual(requestsFor(2));
  });

  it("makes a fault schedule that lasts exactly as long as requested", () => {
    for (const totalMs of [1, 4000, 60_000]) {
      const periods = faultSchedule(totalMs, 400, createRandom(3));
      expect(periods.reduce((sum, { milliseconds }) => sum + milliseconds, 0)).toBe(totalMs);
    }
  });

  it("puts each kind of period and each KV fault into the fault schedule", () => {
    const periods = scheduleFor(1);
    expect(new Set(periods.map(({ name }) => name)).size).toBe(10);
    expect(new Set(periods.map(({ kv }) => kv)).size).toBe(5);
  });

  it("creates only faults that the emulator accepts", () => {
    const random = createRandom(1);
    for (const kind of FAULT_KINDS) {
      expect(faultSchema.safeParse(createFault(kind, random)).error, kind).toBeUndefined();
    }
  });

  it("creates the requested number of users, one without a name, and no two alike", () => {
    for (const count of [1, 10, 1000]) {
      expect(new Set(createUsers(count))).toHaveProperty("size", count);
      expect(createUsers(count)).toContain(undefined);
    }
  });
});
