import { startKvServer } from "../workerd/kv-server.ts";
import { startWorkerd } from "../workerd/workerd.ts";
import type { Bench } from "./bench.ts";
import { compare } from "./comparison.ts";
import { type RequestHeaders, readResponse, sendLoad } from "./load.ts";
import { expectCount, type Measurement, type Row, spreadFor } from "./row.ts";
import { settingsFor, startEmulatedCoze, startUpstream, startWorkerUnderTest } from "./worker-under-test.ts";

const MISS_REQUESTS = 400;
const MISS_CONNECTIONS = 16;

/** Coze is seldom nearer. */
const UPSTREAM_DELAY_MS = 50;
/** With more, the uncached Worker is bounded by its CPU, and no longer by its upstream alone. */
const SLOW_UPSTREAM_CONNECTIONS = 10;
const HIT_REQUESTS = 3000;
const UNCACHED_REQUESTS = 60;

/** Long enough for all requests to arrive while the exchange of the first is under way. */
const EXCHANGE_MS = 500;

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

    const amount = Math.ceil(MISS_REQUESTS * bench.effort.share);
    let users = 0;
    const newUsers = () => Array.from({ length: amount }, () => ({ "X-User-ID": `user${users++}` }));
    const measurement = await compare(
      {
        ours: { worker: ours, nextRequests: newUsers, amount },
        baseline: { worker: baseline, nextRequests: newUsers, amount },
        connections: MISS_CONNECTIONS,
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
    await readResponse(ours.url, headers);

    const { share, rounds, warmUpRounds } = bench.effort;
    const [amount, uncachedAmount] = [Math.ceil(HIT_REQUESTS * share), Math.ceil(UNCACHED_REQUESTS * share)];
    const measurement = await compare(
      {
        ours: { worker: ours, nextRequests: () => [headers], amount },
        baseline: { worker: baseline, nextRequests: () => [headers], amount: uncachedAmount },
        connections: SLOW_UPSTREAM_CONNECTIONS,
        ratioOf: "throughput",
      },
      bench,
    );
    expectCount("exchanges", upstream.exchanges(), 1 + (warmUpRounds + rounds) * uncachedAmount);
    return measurement;
  },
};

/** The rows of how many exchanges some requests cause: the load on Coze. */
export const exchangeCountRows: readonly Row[] = [
  {
    name: "one-user",
    what: "exchanges caused by 1,000 concurrent requests for one user in one isolate",
    budget: { rule: "exactly", limit: 1 },
    measure: (bench) => countExchanges(bench, { requests: usersInTurn(1000, 1), connections: 1000 }),
  },
  {
    name: "hundred-users",
    what: "exchanges caused by 10,000 requests for 100 users within the life of a token",
    budget: { rule: "exactly", limit: 100 },
    measure: (bench) => countExchanges(bench, { requests: usersInTurn(10_000, 100), connections: 50 }),
  },
];

type Requests = { readonly requests: readonly RequestHeaders[]; readonly connections: number };

async function countExchanges(bench: Bench, { requests, connections }: Requests): Promise<Measurement> {
  const coze = await bench.keep(startEmulatedCoze(bench, EXCHANGE_MS));
  const kv = await bench.keep(startKvServer());
  const { url } = await startWorkerUnderTest(bench, {
    tokenEndpoint: coze.tokenEndpoint,
    kvAddress: kv.address,
  });
  await sendLoad({ url, requests, amount: requests.length, connections, signal: bench.signal });
  return { value: spreadFor([await coze.exchanges()]) };
}

function usersInTurn(amount: number, users: number): RequestHeaders[] {
  return Array.from({ length: amount }, (_, index) => ({ "X-User-ID": `user${index % users}` }));
}
