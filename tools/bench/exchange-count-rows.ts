import { startKvServer } from "../workerd/kv-server.ts";
import type { Bench } from "./bench.ts";
import { startEmulatedCoze } from "./emulated-coze.ts";
import { type RequestHeaders, sendLoad } from "./load.ts";
import type { Measurement, Row } from "./row.ts";
import { spreadOf } from "./statistics.ts";
import { startWorkerUnderTest } from "./worker-under-test.ts";

/** Long enough for all to arrive while the exchange of the first is under way. */
const EXCHANGE_MS = 500;

/** The rows of how many exchanges some requests cause: what Coze has to bear. */
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

type Rush = { readonly requests: readonly RequestHeaders[]; readonly connections: number };

async function countExchanges(bench: Bench, { requests, connections }: Rush): Promise<Measurement> {
  const coze = await bench.keep(startEmulatedCoze(bench, EXCHANGE_MS));
  const kv = await bench.keep(startKvServer());
  const { url } = await startWorkerUnderTest(bench, {
    tokenEndpoint: coze.tokenEndpoint,
    kvAddress: kv.address,
  });
  await sendLoad({ url, requests, amount: requests.length, connections, signal: bench.signal });
  return { value: spreadOf([await coze.exchanges()]) };
}

function usersInTurn(amount: number, users: number): RequestHeaders[] {
  return Array.from({ length: amount }, (_, index) => ({ "X-User-ID": `user${index % users}` }));
}
