import { startKvServer } from "../workerd/kv-server.ts";
import { startWorkerd } from "../workerd/workerd.ts";
import { compare } from "./contest.ts";
import { expectCount } from "./expectation.ts";
import type { Row } from "./row.ts";
import { startUpstream } from "./upstream.ts";
import { settingsFor, startWorkerUnderTest } from "./worker-under-test.ts";

const REQUESTS = 400;
const CONNECTIONS = 16;

/** The row of a new token for each request, against an app that signs and exchanges and does nothing besides. */
export const missRow: Row = {
  name: "miss",
  what: "miss, against a Worker that only signs and exchanges",
  budget: { rule: "at least", limit: 0.7 },
  async measure(bench) {
    const upstream = await bench.keep(startUpstream());
    const kv = await bench.keep(startKvServer());
    const { tokenEndpoint } = upstream;
    const ours = await startWorkerUnderTest(bench, { tokenEndpoint, kvAddress: kv.address });
    const baseline = await bench.keep(
      startWorkerd({ script: bench.bundles.exchanging, vars: settingsFor(bench, tokenEndpoint) }),
    );

    const amount = Math.ceil(REQUESTS * bench.effort.share);
    let users = 0;
    const newUsers = () => Array.from({ length: amount }, () => ({ "X-User-ID": `user${users++}` }));
    const measurement = await compare(
      {
        ours: { worker: ours, nextRequests: newUsers, amount },
        baseline: { worker: baseline, nextRequests: newUsers, amount },
        connections: CONNECTIONS,
        ratioOf: "cpu",
      },
      bench,
    );
    expectCount("exchanges", upstream.exchanges(), users);
    expectCount("reads of KV", kv.reads(), users / 2);
    expectCount("writes to KV", kv.writes(), users / 2);
    return measurement;
  },
};
