import { describe, expect, it } from "vitest";
import { createRandom } from "../../../tools/lib/random.ts";
import { DAILY_CURVE, DEFAULT_MODEL, type Model, requestsPerUserAndDay } from "../../../tools/simulate/model.ts";
import { planRequests, START_MS } from "../../../tools/simulate/plan-requests.ts";
import { sampleFor, simulate } from "../../../tools/simulate/simulate.ts";

const quick = (users: number, model: Partial<Model> = {}, seed = 1) =>
  simulate({ ...DEFAULT_MODEL, ...model }, { users, seed, maxRequests: 5000 });

describe("a simulated month", () => {
  it.each<[string, number, Partial<Model>]>([
    ["of some users", 100, {}],
    ["of a sample", 1_000_000, {}],
    ["without KV", 100, { hasKv: false }],
    ["with isolates that hardly live", 100, { isolateLifeHours: 0.01 }],
  ])("serves each request from one place, and counts each exchange and read: %s", async (_, users, model) => {
    const { counts } = await quick(users, model);
    const { requests, servedFrom, exchanges, kvReads, kvWrites, kvRefusedWrites } = counts;
    const sum = Object.values(servedFrom).reduce((total, count) => total + count, 0);

    expect(requests).toBeGreaterThan(1000);
    expect(sum).toBe(requests);
    expect(servedFrom.stale).toBe(0);
    // Beyond those for which a request waits, tokens are renewed after responses.
    expect(exchanges).toBeGreaterThan(servedFrom.exchange);
    if (model.hasKv === false) {
      expect([servedFrom.kv, kvReads, kvWrites, kvRefusedWrites]).toEqual([0, 0, 0, 0]);
      return;
    }
    expect(servedFrom.kv).toBeGreaterThan(0);
    expect(kvWrites + kvRefusedWrites).toBe(exchanges);
    expect(kvReads).toBeGreaterThan(exchanges);
  });

  it("gives the same figures for the same seed, and others for another", async () => {
    const first = await quick(1000);
    expect(await quick(1000)).toEqual(first);
    expect((await quick(1000, {}, 2)).counts).not.toEqual(first.counts);
  });

  it("scales a sample to all users and 30 days", async () => {
    const { sample, counts, month } = await quick(1_000_000);
    const factor = (1_000_000 / sample.users) * (30 / sample.days);
    expect(month.requests).toBe(counts.requests * factor);
    expect(month.kvWrites).toBe(counts.kvWrites * factor);
    expect(month.requests / 1_000_000 / 30 / requestsPerUserAndDay(DEFAULT_MODEL)).toBeCloseTo(1, 1);
  });

  it("makes fewer exchanges for tokens that live longer", async () => {
    const [short, long] = await Promise.all([quick(1000), quick(1000, { tokenSeconds: 3600 })]);
    expect(long.counts.exchanges).toBeLessThan(0.6 * short.counts.exchanges);
  });
});

describe("the sample", () => {
  const model = { ...DEFAULT_MODEL, sessionsPerDay: 1, hoursPerDay: 1, requestsPerHour: 19 };

  it.each([
    [1, 100_000, { users: 1, days: 30 }],
    [100, 63_000, { users: 100, days: 30 }],
    [200, 63_000, { users: 200, days: 15 }],
    [1_000_000, 63_000, { users: 1000, days: 3 }],
    [1_000_000, 1, { users: 1, days: 1 }],
  ])("simulates of %i users, in %i requests of 21 per user and day, %o", (users, maxRequests, sample) => {
    expect(sampleFor(model, users, maxRequests)).toEqual(sample);
  });
});

describe("the planned requests", () => {
  it("plans requests by the daily curve, in the order of their times", () => {
    const requests = planRequests(DEFAULT_MODEL, 500, 4, createRandom(1));
    const hours = Array<number>(24).fill(0);
    for (const { at } of requests)
      hours[Math.floor(at / 3_600_000) % 24] = (hours[Math.floor(at / 3_600_000) % 24] ?? 0) + 1;

    expect(requests.map(({ at }) => at)).toEqual(requests.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(requests[0]?.at).toBeGreaterThanOrEqual(START_MS);
    expect(Math.max(...hours)).toBe(Math.max(hours[20] ?? 0, hours[21] ?? 0));
    expect(Math.min(...hours)).toBe(Math.min(hours[2] ?? 0, hours[3] ?? 0, hours[4] ?? 0));
  });

  it("plans most requests of a user for one location, and twice as many of all users for the first as for the second", () => {
    const requests = planRequests(DEFAULT_MODEL, 1000, 4, createRandom(1));
    const inFirst = requests.filter(({ location }) => location === 0).length;
    const inSecond = requests.filter(({ location }) => location === 1).length;
    const [home, ...others] = [
      ...Map.groupBy(
        requests.filter(({ user }) => user === 3),
        ({ location }) => location,
      ),
    ]
      .map(([, ofLocation]) => ofLocation.length)
      .toSorted((a, b) => b - a);

    expect(inFirst / inSecond).toBeGreaterThan(1.7);
    expect(inFirst / inSecond).toBeLessThan(2.3);
    expect(home).toBeGreaterThan(3 * others.reduce((sum, count) => sum + count, 0));
    expect(others).not.toEqual([]);
  });

  it("plans the same requests for a user when there are more users", () => {
    const ofUser = (users: number) =>
      planRequests(DEFAULT_MODEL, users, 2, createRandom(1)).filter(({ user }) => user === 3);
    expect(ofUser(50)).toEqual(ofUser(4));
  });

  it("has a daily curve whose mean is 1", () => {
    expect(DAILY_CURVE.reduce((sum, part) => sum + part, 0)).toBeCloseTo(24, 9);
  });
});
