import { parseCallers } from "../../src/config/parse-callers.ts";
import { parseTable } from "../../src/config/setting-parsers.ts";
import { createApiKey } from "../lib/api-key.ts";
import { deployCommand } from "../lib/commands.ts";
import { Failure } from "../lib/failure.ts";
import { type Project, readProject } from "../lib/project.ts";
import { type TomlValue, tomlValue } from "../lib/toml-edit.ts";
import { varsTable } from "../lib/vars-table.ts";

type CallerTable = Readonly<Record<string, TomlValue>>;

/** A name of 64 characters, the most there can be, loses its end to the number. */
const MAX_BASE_LENGTH = 62;

/**
 * Makes a new API key for a caller of wrangler.toml, and says how to replace the old one.
 * @throws Failure when there is no such caller, it has no key, or the settings would refuse the two side by side.
 */
export function describeRotation(root: string, name: string, env: string | undefined): string {
  const { key, digest } = createApiKey();
  const project = readProject(root, env);
  const caller = rotatedCallerFor(project, name, digest);
  const deploy = deployCommand(env);
  return `A new key of ${name}. It is shown only once and stored nowhere:

  ${key}

1. Paste this caller into wrangler.toml, beside ${name}, which stays. It may do the same, and opens the same sessions:

${typeof project.deployed["CALLERS"] === "string" ? jsonToPaste(caller, env) : tableToPaste(caller, env)}

2. ${deploy}
   From now on both keys work. Give the new one to the owner of ${name}. A client that sends its name too, as OAuth
   libraries do, changes that to ${caller["name"]} together with the key.
3. When the log has no more requests whose caller is ${name}, remove the caller ${name} from wrangler.toml.
4. ${deploy}
   The old key ends.`;
}

function tableToPaste(caller: CallerTable, env: string | undefined): string {
  const lines = Object.entries(caller).map(([property, value]) => `  ${property} = ${tomlValue(value)}`);
  return [`  [[${varsTable(env)}.CALLERS]]`, ...lines].join("\n");
}

/** TOML allows no table beside a string of the same name. */
function jsonToPaste(caller: CallerTable, env: string | undefined): string {
  return `  ${JSON.stringify(caller)}\n\n   It goes into the list in CALLERS of [${varsTable(env)}], after a comma.`;
}

/**
 * Derives a second caller from one with an API key: the same rights and sessions, another name and key. So both keys work
 * until the first caller is removed.
 */
function rotatedCallerFor({ deployed }: Project, name: string, keySha256: string): CallerTable {
  const callers = readCallers(deployed["CALLERS"]);
  const caller = callers.find((caller) => caller["name"] === name);
  if (caller === undefined) {
    const names = callers.map((caller) => caller["name"]).join(", ");
    throw new Failure(`wrangler.toml has no caller ${name}${names === "" ? "" : `. It has: ${names}`}`);
  }
  if (caller["key_sha256"] === undefined) throw new Failure(`The caller ${name} has no API key that could be changed.`);

  const used = callers.map((caller) => caller["name"]);
  const rotated = { ...caller, name: nextName(name, used), key_sha256: keySha256 };
  const parsed = parseCallers([...callers, rotated]);
  if ("value" in parsed) return rotated;
  throw new Failure(`CALLERS${parsed.issues[0]?.path} ${parsed.issues[0]?.message}. Fix this first.`);
}

/** Names are unique: `report-2` after `report`, `report-3` after `report-2`. */
function nextName(name: string, used: readonly unknown[]): string {
  const base = name.replace(/-\d$/, "").slice(0, MAX_BASE_LENGTH);
  for (let number = 2; ; number += 1) {
    const next = `${base}-${number}`;
    if (!used.includes(next)) return next;
  }
}

/** A list of tables, or the same as a JSON string. */
function readCallers(value: unknown): readonly CallerTable[] {
  const list = parseTable(value);
  return Array.isArray(list) ? list : [];
}
