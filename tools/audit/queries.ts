import { shellWord } from "../lib/shell-word.ts";

/** What to look for: a property of `token_request`, and the values that it may have. */
export type Wanted = {
  readonly property: "user" | "token" | "request_id";
  readonly values: readonly string[];
};

/** The column of Analytics Engine with the property, where there is one (`src/adapters/logging/audit-log.ts`). */
const METRICS_COLUMN: Readonly<Partial<Record<Wanted["property"], string>>> = { user: "blob3" };

/**
 * Returns the queries, each with a heading: the live log by wrangler, the stored one by the query builder of the
 * dashboard, the data points by SQL. `environment` is that of wrangler, "" for the top level.
 */
export function queriesFor(wanted: Wanted, environment: string): readonly string[] {
  return [tailCommands(wanted, environment), logFilters(wanted), metricsQuery(wanted)];
}

/** The live log only has the digest of the key that is deployed now, but which one that is may be in doubt. */
function tailCommands({ values }: Wanted, environment: string): string {
  const tail = `npx wrangler tail --env=${shellWord(environment)} --format json`;
  const commands = values.map((value) => `  ${tail} --search=${shellWord(value)}`);
  return ["From now on, with wrangler:", ...commands].join("\n");
}

function logFilters({ property, values }: Wanted): string {
  const [value = ""] = values;
  const match = values.length === 1 ? `equals ${value}` : `regex ^(${values.join("|")})$`;
  return [
    "In the past, in the dashboard under Observability, filters of the query builder:",
    "  event equals token_request",
    `  ${property} ${match}`,
  ].join("\n");
}

function metricsQuery({ property, values }: Wanted): string {
  const column = METRICS_COLUMN[property];
  if (column === undefined) return `Metrics have no ${property}.`;
  const list = values.map((value) => `'${value}'`).join(", ");
  return `In the past, with SQL, if METRICS is bound:
  SELECT timestamp, index1 AS caller, blob1 AS outcome, blob2 AS issuer, blob4 AS cache, blob5 AS country, blob6 AS colo
  FROM coze_token_worker
  WHERE ${column} IN (${list}) AND timestamp > NOW() - INTERVAL '30' DAY
  ORDER BY timestamp DESC LIMIT 1000`;
}
