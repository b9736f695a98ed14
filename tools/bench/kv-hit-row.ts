import { setTimeout as sleep } from "node:timers/promises";
import { MAX_CACHED_TOKENS } from "../../src/adapters/cache/token-memory.ts";
import { startKvServer } from "../workerd/kv-server.ts";
import { startWorkerd } from "../workerd/workerd.ts";
import { compare } from "./comparison.ts";
import { checkSameResponse, type RequestHeaders, readResponse, sendLoad } from "./load.ts";
import { expectCount, type Row } from "./row.ts";
import { startUpstream, startWorkerUnderTest } from "./worker-under-test.ts";

/** Users whose turn comes one after the other: so many that memory has dropped the token of each when it comes. */
const USERS = Math.ceil(MAX_CACHED_TOKENS * 1.25);
/** Requests of one round: too few for a user to come twice. */
const REQUESTS = 1250;
const CONNECTIONS = 16;
/** The last writes reach KV after the last response. */
const FILL_TIMEOUT_MS = 5000;

/** The row of a token from KV, against an app that reads the same bytes under the same name from the same KV. */
export const kvHitRow: Row = {
  name: "kv-hit",
  what: "KV hit, against a bare Hono app that reads the same value from the same KV",
  budget: { rule: "at least", limit: 0.65 },
  async measure(bench) {
    const { signal } = bench;
    const upstream = await bench.keep(startUpstream());
    const kv = await bench.keep(startKvServer());
    const ours = await startWorkerUnderTest(bench, {
      tokenEndpoint: upstream.tokenEndpoint,
      kvAddress: kv.address,
    });
    const users = Array.from({ length: USERS }, (_, index) => ({ "X-User-ID": `user${index}` }));
    await sendLoad({ url: ours.url, requests: users, amount: USERS, connections: CONNECTIONS, signal });
    await untilFilled(() => kv.entries.size);

    const names = [...kv.entries.keys()].map((name) => ({ "X-User-ID": name }));
    // After this it is in memory again, until its turn comes, which is the last.
    const [user = {}, name = {}] = [users.at(-1), names.at(-1)];
    const hit = await readResponse(ours.url, user);
    const baseline = await bench.keep(
      startWorkerd({
        script: bench.bundles.kvReading,
        vars: { RESPONSE: hit.json, RESPONSE_HEADERS: hit.headers },
        kv: { TOKEN_CACHE: kv.address },
      }),
    );
    await checkSameResponse(baseline.url, name, hit);

    const readsBefore = kv.reads();
    const measurement = await compare(
      {
        ours: { worker: ours, nextRequests: takeTurns(users), amount: REQUESTS },
        baseline: { worker: baseline, nextRequests: takeTurns(names), amount: REQUESTS },
        connections: CONNECTIONS,
        ratioOf: "cpu",
      },
      bench,
    );
    const rounds = bench.effort.warmUpRounds + bench.effort.rounds;
    expectCount("reads of KV", kv.reads() - readsBefore, 2 * rounds * REQUESTS);
    expectCount("exchanges", upstream.exchanges(), USERS);
    return measurement;
  },
};

/** Takes so many at each call, beginning again at the end. */
function takeTurns(all: readonly RequestHeaders[]): () => RequestHeaders[] {
  let next = 0;
  return () => Array.from({ length: REQUESTS }, () => all[next++ % all.length] ?? {});
}

async function untilFilled(count: () => number): Promise<void> {
  for (const startedAt = Date.now(); count() < USERS && Date.now() - startedAt < FILL_TIMEOUT_MS; ) await sleep(20);
  expectCount("entries in KV", count(), USERS);
}
