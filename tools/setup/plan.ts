import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../../src/config/config.ts";
import { REGION_ENDPOINTS } from "../lib/coze-regions.ts";
import { Failure } from "../lib/failure.ts";
import { type Environment, hasCallers, type Project, readProject, WRANGLER_TOML } from "../lib/project.ts";
import { editToml, type TomlValue, tomlValue } from "../lib/toml-edit.ts";
import { definesVar, editVars } from "../lib/vars-edit.ts";
import { varsFileFor } from "../lib/vars-file.ts";
import { type FileToWrite, PRIVATE_MODE, readIfPresent } from "../lib/write-files.ts";
import type { Answers } from "./answers.ts";

/** One setting, and what becomes of it. */
export type Change = {
  readonly file: string;
  readonly name: string;
  readonly action: "set" | "changed" | "kept";
  /** As it will stand there, if it is no secret. */
  readonly value?: string;
};

/** The files that setup will write, and what becomes of each setting. */
export type Plan = { readonly changes: readonly Change[]; readonly files: readonly FileToWrite[] };

/** Those of the wrangler.toml of this repository: every copy of it in an account would share its counts with the others. */
export const EXAMPLE_NAMESPACE_IDS: readonly string[] = [
  "432186444",
  "895321969",
  "379040597",
  "402619122",
  "764163601",
  "423311565",
];

/** Nine digits, which no template or documentation uses. */
const [MIN_NAMESPACE_ID, MAX_NAMESPACE_ID] = [100_000_000, 1_000_000_000];

/**
 * Plans what to write where: the private key into the vars file, everything else into wrangler.toml, and into the vars
 * file too where that names it, as it wins there. What has the value already is kept.
 * @throws Failure when wrangler.toml cannot be edited, or the settings would not go together.
 */
export async function planFiles(project: Project, answers: Answers): Promise<Plan> {
  await refuseNewIssues(project, answers);
  const toml = planToml(project, answers);
  const vars = planVars(project, answers);
  return { changes: [...toml.changes, ...vars.changes], files: [...vars.files, ...toml.files] };
}

/** Refuses what the Worker would refuse. Issues that were there before are left to doctor. */
async function refuseNewIssues({ local }: Project, answers: Answers): Promise<void> {
  const { caller, privateKey } = answers;
  const CALLERS = caller === undefined ? local["CALLERS"] : [...callersIn(local), caller];
  const wanted = {
    ...local,
    ...varsFor(answers, local),
    PRIVATE_KEY: privateKey,
    ...(CALLERS !== undefined && { CALLERS }),
  };
  const [before, after] = [await issuesWith(local), await issuesWith(wanted)];
  const [added] = after.filter((issue) => !before.includes(issue));
  if (added !== undefined) throw new Failure(`The settings do not go together: ${added}. Nothing was written.`);
}

async function issuesWith(environment: Environment): Promise<readonly string[]> {
  const parsed = await parseConfig(environment);
  return "issues" in parsed ? parsed.issues.map(({ path, message }) => `${path} ${message}`) : [];
}

/** A JSON string cannot be extended; planVars and editToml refuse it. */
function callersIn({ CALLERS }: Environment): readonly unknown[] {
  return Array.isArray(CALLERS) ? CALLERS : [];
}

function planToml(project: Project, answers: Answers): Plan {
  const { root, env, deployed, local } = project;
  const { caller } = answers;
  const wanted = Object.entries(varsFor(answers, local));
  const isMissing = ([name, value]: (typeof wanted)[number]) => !isSame(deployed[name], value);
  const namespaceIds = project.namespaceIds.map((id) => (EXAMPLE_NAMESPACE_IDS.includes(id) ? drawId() : id));
  const hasNewIds = namespaceIds.some((id, index) => id !== project.namespaceIds[index]);
  const domain = answers.domain === project.domain ? undefined : answers.domain;

  const closed = caller === undefined ? [] : environmentsToClose(project);

  const before = readFileSync(join(root, WRANGLER_TOML), "utf8");
  const vars = Object.fromEntries(wanted.filter(isMissing));
  const text = closed.reduce(
    (edited, name) => editToml(edited, { env: name, vars: {}, caller }),
    editToml(before, { env, vars, caller, domain, namespaceIds }),
  );
  return {
    changes: [
      ...wanted.map((pair) => ({
        file: WRANGLER_TOML,
        name: pair[0],
        action: actionFor(deployed[pair[0]], isMissing(pair)),
        value: tomlValue(pair[1]),
      })),
      ...(caller === undefined
        ? []
        : [{ file: WRANGLER_TOML, name: "caller", action: "set" as const, value: tomlValue(caller) }]),
      ...closed.map((name) => ({
        file: WRANGLER_TOML,
        name: `caller of ${name}`,
        action: "set" as const,
        value: "the same: environments inherit no callers",
      })),
      ...("CALLERS" in deployed ? [{ file: WRANGLER_TOML, name: "CALLERS", action: "kept" as const }] : []),
      ...(domain === undefined
        ? []
        : [{ file: WRANGLER_TOML, name: "custom domain", action: "set" as const, value: domain }]),
      ...(hasNewIds
        ? [{ file: WRANGLER_TOML, name: "namespace_id of each rate limit", action: "changed" as const }]
        : []),
    ],
    files: text === before ? [] : [{ name: WRANGLER_TOML, text, mode: 0o644, before }],
  };
}

/**
 * The environments that get the first caller of the top level too: wrangler does not inherit callers, so each of them would
 * be open.
 */
function environmentsToClose({ root, env, environments, deployed }: Project): readonly string[] {
  if (env !== undefined || "CALLERS" in deployed) return [];
  return environments.filter((name) => !hasCallers(readProject(root, name)));
}

function planVars({ root, env, local }: Project, answers: Answers): Plan {
  const name = varsFileFor(env);
  const before = readIfPresent(root, name);
  const text = before ?? "";
  if (answers.caller !== undefined && definesVar(text, "CALLERS")) {
    throw new Failure(
      `${name} has CALLERS, which win over those of ${WRANGLER_TOML} here. Move them to ${WRANGLER_TOML} first.`,
    );
  }

  const wanted = Object.entries(varsFor(answers, local))
    .filter(([variable, value]) => definesVar(text, variable) && !isSame(local[variable], value))
    .map(([variable, value]) => [variable, typeof value === "string" ? value : JSON.stringify(value)] as const);
  const hasKey = String(local["PRIVATE_KEY"]).trim() === answers.privateKey.trim();
  const vars = Object.fromEntries([...wanted, ...(hasKey ? [] : [["PRIVATE_KEY", answers.privateKey] as const])]);
  return {
    changes: [
      ...wanted.map(([variable]) => ({ file: name, name: variable, action: actionFor(local[variable], true) })),
      { file: name, name: "PRIVATE_KEY", action: actionFor(local["PRIVATE_KEY"], !hasKey) },
    ],
    files: Object.keys(vars).length === 0 ? [] : [{ name, text: editVars(text, vars), mode: PRIVATE_MODE, before }],
  };
}

function actionFor(before: unknown, isWritten: boolean): Change["action"] {
  if (!isWritten) return "kept";
  return before === undefined || before === "" ? "set" : "changed";
}

/** The variables by name. TOKEN_ENDPOINT is left out when it is the default and not set yet. */
function varsFor(answers: Answers, existing: Environment): Readonly<Record<string, TomlValue>> {
  const { clientId, kid, tokenEndpoint, origins, tokenScope } = answers;
  return {
    CLIENT_ID: clientId,
    KID: kid,
    ...((tokenEndpoint !== REGION_ENDPOINTS.cn.tokenEndpoint || "TOKEN_ENDPOINT" in existing) && {
      TOKEN_ENDPOINT: tokenEndpoint,
    }),
    ...(origins !== undefined && { ALLOWED_ORIGINS: origins }),
    ...(tokenScope !== undefined && { TOKEN_SCOPE: tokenScope }),
  };
}

/** TOML lets an id stand as a number. */
function isSame(existing: unknown, wanted: TomlValue): boolean {
  if (typeof wanted === "string") return String(existing) === wanted;
  return JSON.stringify(existing) === JSON.stringify(wanted);
}

function drawId(): string {
  return String(randomInt(MIN_NAMESPACE_ID, MAX_NAMESPACE_ID));
}
