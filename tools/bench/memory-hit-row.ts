import { startKvServer } from "../workerd/kv-server.ts";
import { startWorkerd } from "../workerd/workerd.ts";
import type { GrantAccess } from "./access.ts";
import { checkSameAnswer, readAnswer } from "./answer.ts";
import { compare } from "./contest.ts";
import { expectCount } from "./expectation.ts";
import type { Row } from "./row.ts";
import { startUpstream } from "./upstream.ts";
import { startWorkerUnderTest } from "./worker-under-test.ts";

/** Long enough that each round has its share of what the runtime does now and then, such as collecting garbage. */
const REQUESTS = 5000;
const CONNECTIONS = 16;

/** The row of a token from memory, for one way of access, against an app that repeats the same answer. */
export function createMemoryHitRow({
  grantAccess,
  ...row
}: Omit<Row, "measure"> & { readonly grantAccess: GrantAccess }): Row {
  return {
    ...row,
    async measure(bench) {
      const upstream = await bench.keep(startUpstream());
      const kv = await bench.keep(startKvServer());
      const { vars, headers } = await grantAccess(bench);
      const ours = await startWorkerUnderTest(bench, {
        tokenEndpoint: upstream.tokenEndpoint,
        kvAddress: kv.address,
        vars,
      });
      await readAnswer(ours.url, headers);
      const hit = await readAnswer(ours.url, headers);

      const baselineVars = { ANSWER: hit.json, ANSWER_HEADERS: hit.headers };
      const baseline = await bench.keep(startWorkerd({ script: bench.bundles.bare, vars: baselineVars }));
      await checkSameAnswer(baseline.url, headers, hit);

      const load = { nextRequests: () => [headers], amount: Math.ceil(REQUESTS * bench.effort.share) };
      const measurement = await compare(
        {
          ours: { worker: ours, ...load },
          baseline: { worker: baseline, ...load },
          connections: CONNECTIONS,
          ratioOf: "cpu",
        },
        bench,
      );
      expectCount("exchanges", upstream.exchanges(), 1);
      expectCount("reads of KV", kv.reads(), 1);
      return measurement;
    },
  };
}
