import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createAuditLog } from "../../src/adapters/logging/audit-log.ts";
import type { TokenAttempt } from "../../src/core/token/audit.ts";
import type { TokenResult } from "../../src/core/token/token-request.ts";
import { TokenError } from "../../src/core/token-error.ts";
import { queriesFor } from "../../tools/audit/queries.ts";
import { SHIPPED_TOML } from "../support/shipped-toml.ts";

type Row = Readonly<Record<string, unknown>>;

/** The functions of Analytics Engine that queries use (Cloudflare: "Workers Analytics Engine SQL Reference"). */
const FUNCTIONS = ["SUM", "if", "intDiv", "toUInt32", "NOW", "quantileExactWeighted"];
const KEYWORDS = ["IN", "AND", "SELECT"];

/** What the panels of the dashboard show of the attempts below, in one minute. */
const PANELS: Readonly<Record<string, readonly Row[]>> = {
  "Requests a second": [{ t: 0, requests: 7 / 60 }],
  "Hit ratio": [{ t: 0, hits: 0.6 }],
  "Refusals a second": [
    { t: 0, error: "invalid_client", refusals: 1 / 60 },
    { t: 0, error: "upstream_timeout", refusals: 1 / 60 },
  ],
  "Coze, p50 and p99": [{ t: 0, p50: 100, p99: 300 }],
  "Top callers": [
    { caller: "script", requests: 4, refused: 1, misses: 1 },
    { caller: "web", requests: 2, refused: 0, misses: 1 },
    { caller: "", requests: 1, refused: 1, misses: 0 },
  ],
  "Refusals by caller": [
    { error: "invalid_client", caller: "", requests: 1 },
    { error: "upstream_timeout", caller: "script", requests: 1 },
  ],
};

/** What the queries of docs/operations.md return, in their order. */
const DOCUMENTED: readonly (readonly Row[])[] = [
  [{ minute: 0, requests: 7 / 60 }],
  [{ hit_ratio: 0.6 }],
  PANELS["Refusals by caller"] ?? [],
  [{ p50: 100, p99: 300 }],
  (PANELS["Top callers"] ?? []).map(({ refused: _refused, ...row }) => row),
  [
    {
      requests: 7,
      bugs: 0,
      rejected: 0,
      outages: 1,
      issuer_outages: 0,
      unknown_clients: 1,
      limited: 0,
      stale: 1,
    },
  ],
];

const database = await databaseOf([
  granted("script", "hit"),
  granted("script", "stale"),
  granted("script", "miss", 100),
  granted("web", "miss", 300),
  granted("web", "hit"),
  attempt({ caller: undefined, error: new TokenError("invalid_client", "No.") }),
  attempt({ caller: "script", error: new TokenError("upstream_timeout", "Late.") }),
]);

const dashboard: { panels: { title: string; targets: { query: string }[] }[] } = JSON.parse(
  readFileSync("docs/grafana.json", "utf8"),
);
const panels = dashboard.panels.map(({ title, targets }) => [title, targets.map(({ query }) => query)] as const);
const documented = sqlIn("docs/operations.md");

describe("the queries for Analytics Engine", () => {
  it.each(panels)("shows in docs/grafana.json what the data points say: %s", (title, queries) => {
    expect(queries.map(run)).toEqual([PANELS[title]]);
  });

  it("returns with each query of docs/operations.md what the data points say", () => {
    expect(documented.map(run)).toEqual(DOCUMENTED);
  });

  it("returns with the query of docs/runbooks.md what the caller was used for", () => {
    const queries = sqlIn("docs/runbooks.md").map((query) => query.replace("nightly-report", "web"));
    expect(queries.map(run)).toEqual([[{ country: "DE", outcome: "granted", requests: 2 }]]);
  });

  it("names in the thresholds of docs/operations.md the columns of the query above them", () => {
    const thresholds = readFileSync("docs/operations.md", "utf8").match(/(?<=^\| `\w+` \| )`\$.+?`/gm) ?? [];
    const named = thresholds.flatMap((threshold) => threshold.match(/(?<=\$)\w+/g) ?? []);
    expect(new Set(named)).toEqual(new Set(Object.keys(DOCUMENTED.at(-1)?.[0] ?? {})));
  });

  it("finds the requests of a user with the query of npm run audit", () => {
    const [, , query = ""] = queriesFor({ property: "user", values: ["digest of ada", "other"] }, "");
    const rows = run(query.slice(query.indexOf("SELECT")));
    expect(rows).toHaveLength(5);
    expect(rows).toContainEqual(
      expect.objectContaining({ caller: "web", outcome: "granted", cache: "miss", colo: "FRA" }),
    );
  });

  it("reads the dataset that wrangler.toml names, with functions that Analytics Engine has", () => {
    const [, dataset] = /^# dataset = "(\w+)"$/m.exec(SHIPPED_TOML) ?? [];
    for (const query of [...panels.flatMap(([, queries]) => queries), ...documented]) {
      expect(query).toContain(`FROM ${dataset} WHERE`);
      const called = Array.from(query.matchAll(/(\w+) ?\(/g), ([, name]) => name);
      expect([...FUNCTIONS, ...KEYWORDS]).toEqual(expect.arrayContaining(called));
    }
  });
});

function sqlIn(page: string): readonly string[] {
  const markdown = readFileSync(page, "utf8");
  return Array.from(markdown.matchAll(/^ *```sql\n(.*?)^ *```$/gms), ([, query = ""]) => query);
}

function attempt(facts: Partial<TokenAttempt>): TokenAttempt {
  return {
    requestId: "1",
    caller: undefined,
    issuer: undefined,
    kid: undefined,
    grant: undefined,
    result: undefined,
    error: undefined,
    description: undefined,
    durationMs: 5,
    colo: "FRA",
    country: "DE",
    ...facts,
  };
}

function granted(caller: string, cacheOutcome: TokenResult["cacheOutcome"], upstreamMs?: number): TokenAttempt {
  const digests = { token: "digest", user: "digest of ada" };
  const token = { accessToken: "token", issuedAt: 0, expiresAt: 900, digests };
  const timings = upstreamMs === undefined ? {} : { cacheMs: 1, signMs: 2, upstreamMs };
  return attempt({ caller, result: { token, ttlSeconds: 900, cacheOutcome, timings } });
}

/** A table of what the Worker writes about these attempts, with the columns and functions of Analytics Engine. */
async function databaseOf(attempts: readonly TokenAttempt[]): Promise<DatabaseSync> {
  const points: AnalyticsEngineDataPoint[] = [];
  const metrics = { writeDataPoint: (point?: AnalyticsEngineDataPoint) => void (point && points.push(point)) };
  const audit = createAuditLog({
    log: () => undefined,
    userDigest: async () => undefined,
    metrics,
    activeSpan: () => undefined,
  });
  for (const one of attempts) await audit(one);

  const rows = points.map(({ indexes = [], blobs = [], doubles = [] }) => ({
    ...numbered("index", indexes),
    ...numbered("blob", blobs),
    ...numbered("double", doubles),
  }));
  const columns = Object.keys(rows[0] ?? {});
  const sqlite = new DatabaseSync(":memory:");
  sqlite.exec(`CREATE TABLE coze_token_worker (timestamp, _sample_interval REAL, ${columns.join(", ")})`);
  const insert = sqlite.prepare(`INSERT INTO coze_token_worker VALUES (30, 1, ${columns.map(() => "?").join(", ")})`);
  for (const row of rows) insert.run(...(Object.values(row) as string[])); // strings and numbers

  sqlite.function("NOW", () => 60);
  sqlite.function("toUInt32", (value) => Number(value));
  sqlite.function("intDiv", (value, divisor) => Math.floor(Number(value) / Number(divisor)));
  sqlite.aggregate("quantileExactWeighted", {
    start: "[]",
    step: (list, level, value, _weight) =>
      JSON.stringify([level, ...[...JSON.parse(String(list)).slice(1), value].sort(byNumber)]),
    result: (list) => {
      const [level, ...values]: number[] = JSON.parse(String(list));
      return values[Math.ceil((level ?? 0) * values.length) - 1] ?? null;
    },
  });
  return sqlite;
}

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b);
}

function numbered(kind: string, values: readonly unknown[]): Row {
  return Object.fromEntries(values.map((value, index) => [`${kind}${index + 1}`, value]));
}

/** Runs a query, after the macros of Grafana and what SQLite writes differently have been replaced. */
function run(query: string): readonly Row[] {
  const sql = query
    .replaceAll("$timeSeries", "intDiv(toUInt32(timestamp), 60) * 60 * 1000")
    .replaceAll("$timeFilter", "timestamp >= 0")
    .replaceAll("$interval", "60")
    .replaceAll(/INTERVAL '(\d+)' (DAY|MINUTE)/g, (_all, count, unit) => String(count * (unit === "DAY" ? 86_400 : 60)))
    .replaceAll(/quantileExactWeighted\(([\d.]+)\)\(/g, "quantileExactWeighted($1, ");
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}
