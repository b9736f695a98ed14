import { describe, expect, it } from "vitest";
import { faultSchema } from "../../../tools/emulator/fault-schema.ts";
import { createRandom } from "../../../tools/soak/random.ts";
import { planRequest } from "../../../tools/soak/request-plan.ts";
import { createFault, FAULT_KINDS } from "../../../tools/soak/upstream-fault.ts";
import { createUsers } from "../../../tools/soak/users.ts";
import { planWeather } from "../../../tools/soak/weather.ts";

const weatherOf = (seed: number) => planWeather(60_000, 3000, createRandom(seed));

const requestsOf = (seed: number) => {
  const random = createRandom(seed);
  const choices = { places: 2, users: createUsers(30), durationsSeconds: [20, undefined] };
  return Array.from({ length: 100 }, () => planRequest(choices, random));
};

describe("the plan of a run", () => {
  it("follows from the seed", () => {
    expect(weatherOf(1)).toEqual(weatherOf(1));
    expect(weatherOf(1)).not.toEqual(weatherOf(2));
    expect(requestsOf(1)).toEqual(requestsOf(1));
    expect(requestsOf(1)).not.toEqual(requestsOf(2));
  });

  it("lasts exactly as long as it is to", () => {
    for (const totalMs of [1, 4000, 60_000]) {
      const periods = planWeather(totalMs, 400, createRandom(3));
      expect(periods.reduce((sum, { milliseconds }) => sum + milliseconds, 0)).toBe(totalMs);
    }
  });

  it("has each kind of weather, and of trouble with KV", () => {
    const periods = weatherOf(1);
    expect(new Set(periods.map(({ name }) => name)).size).toBe(10);
    expect(new Set(periods.map(({ kv }) => kv)).size).toBe(5);
  });

  it("arms only what the emulator takes", () => {
    const random = createRandom(1);
    for (const kind of FAULT_KINDS) {
      expect(faultSchema.safeParse(createFault(kind, random)).error, kind).toBeUndefined();
    }
  });

  it("has as many users as it is to, nobody among them, and no two of one name", () => {
    for (const count of [1, 10, 1000]) {
      expect(new Set(createUsers(count))).toHaveProperty("size", count);
      expect(createUsers(count)).toContain(undefined);
    }
  });
});
