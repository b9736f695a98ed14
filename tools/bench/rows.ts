import { gzipSync } from "node:zlib";
import { buildClientModule } from "../build/client-module.ts";
import { exchangeCountRows, missRow, slowUpstreamRow } from "./exchange-rows.ts";
import { freshIsolateRow } from "./fresh-isolate-row.ts";
import { kvHitRow } from "./kv-hit-row.ts";
import { createMemoryHitRow, grantAccessByJwt, grantAccessByKey, grantOpenAccess } from "./memory-hit-row.ts";
import { type Row, spreadFor } from "./row.ts";

/** All that is measured, in the order of the table. */
export const ROWS: readonly Row[] = [
  createMemoryHitRow({
    name: "memory-hit",
    what: "memory hit, open access, against a bare Hono app that sends the same JSON and headers",
    budget: { rule: "at least", limit: 0.75 },
    grantAccess: grantOpenAccess,
  }),
  createMemoryHitRow({
    name: "memory-hit-key",
    what: "memory hit with an API key, against the same",
    budget: { rule: "at least", limit: 0.65 },
    grantAccess: grantAccessByKey,
  }),
  createMemoryHitRow({
    name: "memory-hit-jwt",
    what: "memory hit with an RS256 JWT, against the same",
    budget: { rule: "at least", limit: 0.3 },
    grantAccess: grantAccessByJwt,
  }),
  kvHitRow,
  missRow,
  slowUpstreamRow,
  freshIsolateRow,
  ...exchangeCountRows,
  {
    name: "bundle",
    what: "bundle, minified and gzipped",
    budget: { rule: "at most", limit: 48, unit: "KiB" },
    measure: async ({ bundles }) => ({ value: spreadFor([bundles.workerGzipKiB]) }),
  },
  {
    name: "client",
    what: "client module, minified and gzipped",
    budget: { rule: "at most", limit: 3, unit: "KiB" },
    measure: async () => ({ value: spreadFor([gzipSync((await buildClientModule()).script).length / 1024]) }),
  },
];
