import { startKvServer } from "../workerd/kv-server.ts";
import { startWorkerd, type WorkerdOptions } from "../workerd/workerd.ts";
import { medianFigures } from "./comparison.ts";
import { expectCount, type Figures, type Row, spreadFor } from "./row.ts";
import { settingsFor, startUpstream } from "./worker-under-test.ts";

/** Process starts of each Worker in one round of the effort: a single start is noisy, and takes a tenth of a second. */
const STARTS_PER_ROUND = 3;

/** The row of the first response of a fresh isolate, against an app that signs and exchanges and does nothing besides. */
export const freshIsolateRow: Row = {
  name: "fresh-isolate",
  what: "process start to first response, against a Worker that only signs and exchanges",
  budget: { rule: "at least", limit: 0.75 },
  async measure(bench) {
    const upstream = await bench.keep(startUpstream());
    const kv = await bench.keep(startKvServer());
    const surroundings = {
      vars: settingsFor(bench, upstream.tokenEndpoint),
      kv: { TOKEN_CACHE: kv.address },
      quiet: true,
    };
    // A user who had a token before would get it from KV.
    let users = 0;
    const nextUser = () => `user${users++}`;
    const startOurs = () => firstResponse({ ...surroundings, script: bench.bundles.worker }, nextUser(), bench.signal);
    const startBaseline = () =>
      firstResponse({ ...surroundings, script: bench.bundles.exchanging }, nextUser(), bench.signal);

    const pairs: { readonly ours: Figures; readonly baseline: Figures }[] = [];
    const warmUps = bench.effort.warmUpRounds;
    const amount = warmUps + bench.effort.rounds * STARTS_PER_ROUND;
    for (let pair = 0; pair < amount; pair += 1) {
      const isOursFirst = pair % 2 === 0;
      const first = await (isOursFirst ? startOurs : startBaseline)();
      const second = await (isOursFirst ? startBaseline : startOurs)();
      if (pair < warmUps) continue;
      pairs.push(isOursFirst ? { ours: first, baseline: second } : { ours: second, baseline: first });
    }
    expectCount("exchanges", upstream.exchanges(), 2 * amount);
    expectCount("reads of KV", kv.reads(), amount);
    return {
      value: spreadFor(pairs.map(({ ours, baseline }) => baseline.cpuMicroseconds / ours.cpuMicroseconds)),
      ours: medianFigures(pairs.map(({ ours }) => ours)),
      baseline: medianFigures(pairs.map(({ baseline }) => baseline)),
    };
  },
};

/** Starts a process, sends it one request, and ends it. The CPU time is that of the whole process up to the response. */
async function firstResponse(options: WorkerdOptions, userId: string, signal: AbortSignal): Promise<Figures> {
  signal.throwIfAborted();
  const startedAt = performance.now();
  const worker = await startWorkerd(options);
  try {
    const response = await fetch(worker.url, { method: "POST", headers: { "X-User-ID": userId } });
    const body = await response.text();
    const cpuMs = await worker.cpuMs();
    if (!response.ok) throw new Error(`${worker.url} responded with ${response.status}: ${body}`);
    return { cpuMicroseconds: cpuMs * 1000, requestsPerSecond: 1000 / (performance.now() - startedAt) };
  } finally {
    await worker.close();
  }
}
