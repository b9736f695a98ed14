import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compare, type Variant } from "../../../tools/bench/comparison.ts";
import { type LoopbackServer, serveOnLoopback } from "../../../tools/lib/loopback-server.ts";

const AMOUNT = 10;
const effort = { rounds: 3, warmUpRounds: 1, share: 1 };

let server: LoopbackServer;

beforeEach(async () => {
  server = await serveOnLoopback(() => Response.json({}));
});

afterEach(() => server.close());

/** A Worker that takes so many milliseconds of CPU in its rounds, one after the other. */
function variant(roundsMs: readonly number[], turns: string[] = [], name = ""): Variant {
  const readings = roundsMs.flatMap((ms, round) => {
    const before = roundsMs.slice(0, round).reduce((total, earlier) => total + earlier, 0);
    return [before, before + ms];
  });
  return {
    worker: { url: server.url, cpuMs: async () => readings.shift() ?? Number.NaN },
    nextRequests: () => {
      turns.push(name);
      return [{}];
    },
    amount: AMOUNT,
  };
}

function compareCpu(ours: Variant, baseline: Variant) {
  const { signal } = new AbortController();
  return compare({ ours, baseline, connections: 2, ratioOf: "cpu" }, { effort, signal });
}

describe("a comparison of CPU time", () => {
  it("compares CPU time by the median of the ratios of the rounds, not the ratio of their medians", async () => {
    const { value } = await compareCpu(variant([900, 10, 20, 100]), variant([1, 9, 30, 60]));
    expect(value).toEqual({ median: 0.9, min: 0.6, max: 1.5 });
  });

  it("leaves the rounds for warm-up out of a comparison", async () => {
    const { ours, baseline } = await compareCpu(variant([900, 20, 20, 20]), variant([900, 10, 10, 10]));
    expect(ours?.cpuMicroseconds).toBe(2000);
    expect(baseline?.cpuMicroseconds).toBe(1000);
  });

  it("measures both sides of a comparison by turns, and each begins every other round", async () => {
    const turns: string[] = [];
    await compareCpu(variant([1, 1, 1, 1], turns, "ours"), variant([1, 1, 1, 1], turns, "baseline"));
    expect(turns).toEqual(Array(2).fill(["ours", "baseline", "baseline", "ours"]).flat());
  });
});

describe("a comparison of throughput", () => {
  it("rates the variant that serves more requests in the same time above 1", async () => {
    const slow = await serveOnLoopback(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return Response.json({});
    });
    const ours = variant([1, 1, 1, 1]);
    const slower = variant([1, 1, 1, 1]);
    const baseline = { ...slower, worker: { ...slower.worker, url: slow.url } };
    const { signal } = new AbortController();
    const { value } = await compare({ ours, baseline, connections: 2, ratioOf: "throughput" }, { effort, signal });
    await slow.close();
    expect(value.median).toBeGreaterThan(2);
  });
});
