import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { Failure } from "./failure.ts";
import { varsTable } from "./vars-table.ts";

/** A value as it stands in TOML. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | { readonly [name: string]: TomlValue };

/** What to write into wrangler.toml, for one environment; everything else stays as it is, comments included. */
type TomlEdits = {
  readonly env: string | undefined;
  readonly vars: Readonly<Record<string, TomlValue>>;
  /** To be added after those that are there. */
  readonly caller?: Readonly<Record<string, TomlValue>> | undefined;
  readonly domain?: string | undefined;
  /** For the rate limits, in their order; without it, they stay. */
  readonly namespaceIds?: readonly string[];
};

/**
 * Edits the text of a wrangler.toml. An example that is commented out is replaced where there is one.
 * @throws Failure when the file is written in a way that this cannot edit safely: the result would not say what is meant.
 */
export function editToml(text: string, edits: TomlEdits): string {
  const { env, vars, caller, domain, namespaceIds = [] } = edits;
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  let lines = text.split(/\r?\n/);
  if (domain !== undefined) lines = setRoutes(lines, env, routesWith(text, env, domain));
  if (Object.keys(vars).length > 0) lines = setVars(lines, varsTable(env), vars);
  if (caller !== undefined) lines = addCaller(lines, `${varsTable(env)}.CALLERS`, caller);
  if (namespaceIds.length > 0) lines = setNamespaceIds(lines, env, namespaceIds);

  const edited = lines.join(lineEnd);
  if (!isAsMeant(text, edited, edits)) {
    throw new Failure("This wrangler.toml cannot be edited safely. Add the settings by hand: README.md, Deploy.");
  }
  return edited;
}

/** A value in TOML, on one line. */
export function tomlValue(value: TomlValue): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value); // a basic string has the escapes of JSON
  const pairs = Object.entries(value).map(([name, inner]) => `${tomlKey(name)} = ${tomlValue(inner)}`);
  return `{ ${pairs.join(", ")} }`;
}

function tomlKey(name: string): string {
  return /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
}

function setVars(lines: readonly string[], table: string, vars: TomlEdits["vars"]): string[] {
  const [header, withHeader] = findOrAddTable(lines, table);
  const result = [...withHeader];
  for (const [name, value] of Object.entries(vars)) {
    const line = `${name} = ${tomlValue(value)}`;
    const at = findKey(result, header, name);
    if (at === undefined) result.splice(header + 1, 0, line);
    else result[at] = line + commentAfter(result[at] ?? "");
  }
  return result;
}

/** The comment behind a value on one line, with the blanks before it; "" without one. */
function commentAfter(line: string): string {
  return /^\s*\w+\s*=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w.+-]+)(\s*#.*)$/.exec(line)?.[1] ?? "";
}

/** The index of a table's header, which is uncommented, or added at the end, if need be. */
function findOrAddTable(lines: readonly string[], table: string): readonly [number, readonly string[]] {
  const header = `[${table}]`;
  const at = lines.findIndex((line) => line.trim().startsWith(header));
  if (at !== -1) return [at, lines];

  const commented = lines.findIndex((line) => uncommented(line) === header);
  if (commented !== -1) return [commented, lines.with(commented, header)];
  const end = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  return [end.length + 1, [...end, "", header, ""]];
}

/** Where a key of a table stands; else, where it is commented out. */
function findKey(lines: readonly string[], header: number, name: string): number | undefined {
  const end = endOfTable(lines, header);
  const isKey = (text: string | undefined) => text !== undefined && new RegExp(`^${name}\\s*=`).test(text);
  const indexes = lines.map((_, index) => index).slice(header + 1, end);
  return indexes.find((i) => isKey(lines[i]?.trim())) ?? indexes.find((i) => isKey(uncommented(lines[i] ?? "")));
}

function endOfTable(lines: readonly string[], header: number): number {
  const next = lines.findIndex((line, index) => index > header && /^\s*\[/.test(line));
  return next === -1 ? lines.length : next;
}

function addCaller(lines: readonly string[], table: string, caller: NonNullable<TomlEdits["caller"]>): string[] {
  const block = [
    `[[${table}]]`,
    ...Object.entries(caller).map(([name, value]) => `${tomlKey(name)} = ${tomlValue(value)}`),
  ];
  const last = lines.findLastIndex((line) => new RegExp(`^\\s*\\[+${table.replaceAll(".", "\\.")}[.\\]]`).test(line));
  if (last !== -1) return insertAfterContent(lines, last, ["", ...block]);

  const example = lines.findIndex((line) => uncommented(line) === block[0]);
  if (example !== -1) {
    const end = lines.findIndex((line, index) => index > example && !/^[\w-]+\s*=/.test(uncommented(line) ?? ""));
    return lines.toSpliced(example, (end === -1 ? lines.length : end) - example, ...block);
  }
  const end = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  return [...end, "", ...block, ""];
}

/** After the last key of a table, so that comments which belong to the next one stay with it. */
function insertAfterContent(lines: readonly string[], header: number, block: readonly string[]): string[] {
  const end = endOfTable(lines, header);
  const last = lines.slice(0, end).findLastIndex((line) => line.trim() !== "" && uncommented(line) === undefined);
  return lines.toSpliced(last + 1, 0, ...block);
}

/** The routes of an environment of wrangler with this custom domain: instead of the only one, else after the others. */
function routesWith(text: string, env: string | undefined, domain: string): readonly TomlValue[] {
  const toml = parse(text) as Table; // as its type has no undefined
  const scope = env === undefined ? toml : tableIn(tableIn(toml, "env"), env);
  if ("route" in scope) {
    throw new Failure("wrangler.toml has route, and takes no custom domain beside it. Move it into routes first.");
  }
  const routes = (scope["routes"] ?? []) as readonly TomlValue[]; // anything else wrangler has refused
  const domains = routes.filter(isCustomDomain);
  const [only] = domains;
  if (domains.some(({ pattern }) => pattern === domain)) return routes;
  if (only === undefined || domains.length > 1) return [...routes, { pattern: domain, custom_domain: true }];
  return routes.with(routes.indexOf(only), { ...only, pattern: domain });
}

function isCustomDomain(route: TomlValue): route is { readonly [name: string]: TomlValue } {
  return typeof route === "object" && "custom_domain" in route && route["custom_domain"] === true;
}

function setRoutes(lines: readonly string[], env: string | undefined, routes: readonly TomlValue[]): string[] {
  const line = `routes = ${tomlValue(routes)}`;
  if (env !== undefined) {
    const [header, withHeader] = findOrAddTable(lines, `env.${env}`);
    const at = findKey(withHeader, header, "routes");
    return at === undefined ? withHeader.toSpliced(header + 1, 0, line) : withHeader.with(at, line);
  }
  const at = findKey(lines, -1, "routes");
  return at === undefined ? insertAfterContent(lines, -1, [line]) : lines.with(at, line);
}

function setNamespaceIds(lines: readonly string[], env: string | undefined, ids: readonly string[]): string[] {
  const header = env === undefined ? "[[ratelimits]]" : `[[env.${env}.ratelimits]]`;
  const remaining = [...ids];
  let isInside = false;
  return lines.map((line) => {
    if (/^\s*\[/.test(line)) isInside = line.trim().startsWith(header);
    if (!isInside || !/^\s*namespace_id\s*=/.test(line)) return line;
    return line.replace(/=\s*("[^"]*"|'[^']*'|\d+)/, `= "${remaining.shift()}"`);
  });
}

/** The text of a comment; `undefined` for anything else. */
function uncommented(line: string): string | undefined {
  return /^\s*#\s?(.*)$/.exec(line)?.[1]?.trim();
}

type Table = { [name: string]: unknown };

function isAsMeant(
  before: string,
  after: string,
  { env, vars, caller, domain, namespaceIds = [] }: TomlEdits,
): boolean {
  try {
    const expected: Table = parse(before);
    const scope = env === undefined ? expected : tableIn(tableIn(expected, "env"), env);
    if (Object.keys(vars).length > 0) Object.assign(tableIn(scope, "vars"), vars);
    if (caller !== undefined) {
      const table = tableIn(scope, "vars");
      table["CALLERS"] = [...((table["CALLERS"] as object[] | undefined) ?? []), caller]; // a string is not spread equal
    }
    if (domain !== undefined) scope["routes"] = routesWith(before, env, domain);
    const limits = (scope["ratelimits"] ?? []) as Table[]; // anything else differs below
    for (const [index, id] of namespaceIds.entries()) Object.assign(limits[index] ?? {}, { namespace_id: id });
    return isDeepStrictEqual(plain(expected), plain(parse(after)));
  } catch {
    return false;
  }
}

function tableIn(parent: Table, name: string): Table {
  parent[name] ??= {};
  return parent[name] as Table; // anything else differs from what is read back
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
