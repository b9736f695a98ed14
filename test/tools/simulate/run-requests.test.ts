import { describe, expect, it } from "vitest";
import { createRandom } from "../../../tools/lib/random.ts";
import { DEFAULT_MODEL, type Model } from "../../../tools/simulate/model.ts";
import { type PlannedRequest, START_MS } from "../../../tools/simulate/plan-requests.ts";
import { type Counts, runRequests } from "../../../tools/simulate/run-requests.ts";

/** One isolate in each location, which outlives the test. */
const STEADY: Model = {
  ...DEFAULT_MODEL,
  locations: 3,
  isolatesPerLocation: 1,
  isolateIdleSeconds: 86_400,
  isolateLifeHours: 1e9,
};

const run = (requests: readonly PlannedRequest[], model: Partial<Model> = {}, users = 1) =>
  runRequests(requests, {
    model: { ...STEADY, ...model },
    users,
    sampledUsers: users,
    random: createRandom(1),
  });

const request = (seconds: number, location = 0, user = 0): PlannedRequest => ({
  at: START_MS + seconds * 1000,
  user,
  location,
});

/** One user's requests, from 0 seconds to `end`, both included. */
const steady = (interval: number, end: number) =>
  Array.from({ length: end / interval + 1 }, (_, index) => request(index * interval));

const used = ({ exchanges, kvReads, kvWrites }: Counts) => ({ exchanges, kvReads, kvWrites });

describe("a simulated run", () => {
  it("renews the token of a steady user at the first request in the last quarter of its life", async () => {
    // A token of 900 s ages after 675 to 697.5 s; with a request a minute, that is noticed after 720 s:
    // at 0, 720, 1440, 2160, 2880 and 3600 s. Each exchange reads KV before and writes it after.
    const counts = await run(steady(60, 3600));
    expect(used(counts)).toEqual({ exchanges: 6, kvReads: 6, kvWrites: 6 });
    // A renewal comes after the response, which has the old token.
    expect(counts.servedFrom).toMatchObject({ exchange: 1, memory: 60, kv: 0 });
  });

  it("exchanges four times as seldom for tokens of an hour", async () => {
    // They age after 2700 to 2790 s, noticed after 2820 s at the latest.
    expect(used(await run(steady(60, 3600), { tokenSeconds: 3600 }))).toMatchObject({ exchanges: 2 });
  });

  it("reads and writes nothing without KV", async () => {
    expect(used(await run(steady(60, 3600), { hasKv: false }))).toEqual({ exchanges: 6, kvReads: 0, kvWrites: 0 });
  });

  it("makes one exchange for requests that arrive together in one isolate", async () => {
    const counts = await run([request(0), request(0.1), request(0.2), request(0.3)]);
    expect(used(counts)).toEqual({ exchanges: 1, kvReads: 1, kvWrites: 1 });
    expect(counts.servedFrom).toMatchObject({ exchange: 1, "exchange of another request": 3 });
  });

  it("makes an exchange for each user", async () => {
    expect(used(await run([request(0, 0, 1), request(0, 0, 2)], {}, 2))).toMatchObject({ exchanges: 2 });
  });

  it("makes a second exchange in a location that does not see the first in KV yet, and none later", async () => {
    const counts = await run([request(0, 0), request(30, 1), request(300, 2)]);
    expect(used(counts)).toEqual({ exchanges: 2, kvReads: 3, kvWrites: 2 });
    expect(counts.servedFrom).toMatchObject({ exchange: 2, kv: 1 });
  });

  it("reads KV again when an isolate has ended because it was idle", async () => {
    const counts = await run([request(0), request(301), request(500)], { isolateIdleSeconds: 300 });
    expect(counts.servedFrom).toMatchObject({ exchange: 1, kv: 1, memory: 1 });
  });

  it("reads KV again when an isolate has ended at the end of its life", async () => {
    const counts = await run([request(0), request(60), request(120)], { isolateLifeHours: 1e-9 });
    expect(counts.servedFrom).toMatchObject({ exchange: 1, kv: 2 });
  });

  it("divides requests among more isolates in the evening than at night", async () => {
    // One user's 14.7 requests a day, of which this location gets 6/11, are 9 in a million seconds at 4, and 176 at 20.
    const hitsFrom = async (seconds: number) => {
      const requests = Array.from({ length: 101 }, (_, index) => request(seconds + index));
      return (await run(requests, { requestsPerSecondAndIsolate: 20e-6 })).servedFrom.memory;
    };
    expect(await hitsFrom(0)).toBe(100);
    expect(await hitsFrom(16 * 3600)).toBeLessThan(95);
  });

  it("evicts tokens from the memory of a sample as from that of all users", async () => {
    // Two of 10,000 users fill a memory that is one token large: 5,000 · 2 / 10,000.
    const requests = [request(0, 0, 1), request(60, 0, 2), request(120, 0, 1)];
    const counts = await runRequests(requests, {
      model: STEADY,
      users: 10_000,
      sampledUsers: 2,
      random: createRandom(1),
    });
    expect(counts.servedFrom).toMatchObject({ exchange: 2, kv: 1 });
  });
});
