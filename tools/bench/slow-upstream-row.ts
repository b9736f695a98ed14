import { startKvServer } from "../workerd/kv-server.ts";
import { startWorkerd } from "../workerd/workerd.ts";
import { readAnswer } from "./answer.ts";
import { compare } from "./contest.ts";
import { expectCount } from "./expectation.ts";
import type { Row } from "./row.ts";
import { startUpstream } from "./upstream.ts";
import { settingsFor, startWorkerUnderTest } from "./worker-under-test.ts";

/** Coze is seldom nearer. */
const UPSTREAM_DELAY_MS = 50;
/** With more, the uncached Worker is bounded by its CPU, and no longer by its upstream alone. */
const CONNECTIONS = 10;
const REQUESTS = 3000;
const UNCACHED_REQUESTS = 60;

/** The row of what a cache is for: a token from memory, against one exchange for each request. */
export const slowUpstreamRow: Row = {
  name: "slow-upstream",
  what: `memory hit, against that uncached Worker with an upstream of ${UPSTREAM_DELAY_MS} ms (requests per second)`,
  budget: { rule: "at least", limit: 10 },
  async measure(bench) {
    const upstream = await bench.keep(startUpstream(UPSTREAM_DELAY_MS));
    const kv = await bench.keep(startKvServer());
    const { tokenEndpoint } = upstream;
    const ours = await startWorkerUnderTest(bench, { tokenEndpoint, kvAddress: kv.address });
    const baseline = await bench.keep(
      startWorkerd({ script: bench.bundles.exchanging, vars: settingsFor(bench, tokenEndpoint) }),
    );
    const headers = { "X-User-ID": "user123" };
    await readAnswer(ours.url, headers);

    const { share, rounds, warmUpRounds } = bench.effort;
    const [amount, uncachedAmount] = [Math.ceil(REQUESTS * share), Math.ceil(UNCACHED_REQUESTS * share)];
    const measurement = await compare(
      {
        ours: { worker: ours, nextRequests: () => [headers], amount },
        baseline: { worker: baseline, nextRequests: () => [headers], amount: uncachedAmount },
        connections: CONNECTIONS,
        ratioOf: "throughput",
      },
      bench,
    );
    expectCount("exchanges", upstream.exchanges(), 1 + (warmUpRounds + rounds) * uncachedAmount);
    return measurement;
  },
};
