import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Project } from "../lib/project.ts";
import { Failure } from "../start/failure.ts";
import type { Answers } from "./answers.ts";
import { editToml, type TomlValue } from "./toml-edit.ts";
import { definesVar, editVars } from "./vars-edit.ts";

/** One setting, and what becomes of it. */
export type Change = {
  readonly file: string;
  readonly name: string;
  readonly action: "set" | "changed" | "kept";
};

/** A file to write. */
export type FileToWrite = { readonly name: string; readonly text: string; readonly mode: number };

export type Plan = { readonly changes: readonly Change[]; readonly files: readonly FileToWrite[] };

/** Ids of this many digits, of which a documentation or template has none. */
const [MIN_NAMESPACE_ID, MAX_NAMESPACE_ID] = [100_000_000, 1_000_000_000];

/** The bits of a mode that only the owner has. */
const PRIVATE_MODE = 0o600;

/**
 * Plans what to write where: the private key into the vars file, everything else into wrangler.toml, and into the vars
 * file too where that names it, as it wins there. What has the value already is kept.
 * @throws Failure when wrangler.toml cannot be edited.
 */
export function planFiles(project: Project, answers: Answers): Plan {
  const { root, env, deployed, local } = project;
  const varsFile = env === undefined ? ".dev.vars" : `.dev.vars.${env}`;
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8");
  const varsText = readIfPresent(join(root, varsFile));
  const wanted = varsFor(answers, deployed);

  const tomlVars = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => !isSame(deployed[name], value)));
  const inVarsFile = Object.entries(wanted).filter(
    ([name, value]) => definesVar(varsText, name) && !isSame(local[name], value),
  );
  const vars = {
    ...Object.fromEntries(
      inVarsFile.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
    ...(local["PRIVATE_KEY"] === answers.privateKey ? {} : { PRIVATE_KEY: answers.privateKey }),
  };
  const { caller } = answers;
  if (caller !== undefined && definesVar(varsText, "CALLERS")) {
    throw new Failure(
      `${varsFile} has CALLERS, which win over those of wrangler.toml here. Move them to wrangler.toml first.`,
    );
  }

  const isFirst = deployed["CLIENT_ID"] === undefined;
  const namespaceIds = isFirst ? drawIds(limitsIn(project)) : [];
  const domain = answers.domain === project.domain ? undefined : answers.domain;
  const edited = editToml(toml, { env, vars: tomlVars, caller, domain, namespaceIds });

  const change = (file: string, name: string, before: unknown, isWritten: boolean): Change => ({
    file,
    name,
    action: isWritten ? (before === undefined || before === "" ? "set" : "changed") : "kept",
  });
  return {
    changes: [
      ...Object.keys(wanted).map((name) => change("wrangler.toml", name, deployed[name], name in tomlVars)),
      ...(caller === undefined ? [] : [change("wrangler.toml", `CALLERS: ${caller["name"]}`, undefined, true)]),
      ...(caller === undefined && "CALLERS" in deployed ? [change("wrangler.toml", "CALLERS", "", false)] : []),
      ...(domain === undefined ? [] : [change("wrangler.toml", `domain: ${domain}`, project.domain, true)]),
      ...(namespaceIds.length > 0
        ? [change("wrangler.toml", "namespace_id of each rate limit", "the example", true)]
        : []),
      ...inVarsFile.map(([name]) => change(varsFile, name, local[name], true)),
      change(
        varsFile,
        "PRIVATE_KEY",
        definesVar(varsText, "PRIVATE_KEY") ? local["PRIVATE_KEY"] : undefined,
        "PRIVATE_KEY" in vars,
      ),
    ],
    files: [
      ...(Object.keys(vars).length > 0 ? [{ name: varsFile, text: editVars(varsText, vars), mode: PRIVATE_MODE }] : []),
      ...(edited === toml ? [] : [{ name: "wrangler.toml", text: edited, mode: 0o644 }]),
    ],
  };
}

/** The variables by name. What is the default, and is not set, stays away. */
function varsFor(answers: Answers, deployed: Project["deployed"]): Readonly<Record<string, TomlValue>> {
  const { clientId, kid, tokenEndpoint, defaultEndpoint, origins, tokenScope } = answers;
  return {
    CLIENT_ID: clientId,
    KID: kid,
    ...((tokenEndpoint !== defaultEndpoint || "TOKEN_ENDPOINT" in deployed) && { TOKEN_ENDPOINT: tokenEndpoint }),
    ...(origins !== undefined && { ALLOWED_ORIGINS: origins }),
    ...(tokenScope !== undefined && { TOKEN_SCOPE: tokenScope }),
  };
}

/** TOML lets an id stand as a number. */
function isSame(existing: unknown, wanted: TomlValue): boolean {
  if (typeof wanted === "string") return String(existing) === wanted;
  return JSON.stringify(existing) === JSON.stringify(wanted);
}

function limitsIn({ deployed }: Project): number {
  return Object.values(deployed).filter((value) => typeof value === "object" && value !== null && "limit" in value)
    .length;
}

function drawIds(count: number): readonly string[] {
  return Array.from({ length: count }, () => String(randomInt(MIN_NAMESPACE_ID, MAX_NAMESPACE_ID)));
}

function readIfPresent(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
