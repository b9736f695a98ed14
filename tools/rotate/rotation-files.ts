import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Project, WRANGLER_TOML } from "../lib/project.ts";
import { editToml } from "../lib/toml-edit.ts";
import { definesVar, editVars } from "../lib/vars-edit.ts";
import { DEFAULT_VARS_FILE, varsFileFor } from "../lib/vars-file.ts";
import { type FileToWrite, PRIVATE_MODE, readIfPresent } from "../lib/write-files.ts";
import type { KeyRotation } from "./key-pairs.ts";

/**
 * The files with both pairs: keys into the vars file, the new KID into wrangler.toml where that has one, else as a secret
 * into the vars file too.
 * @throws Failure when wrangler.toml cannot be edited.
 */
export function filesWithPairs(project: Project, { current, previous }: KeyRotation): readonly FileToWrite[] {
  const { env, deployed } = project;
  const text = readVars(project);
  const isKidSecret = !("KID" in deployed);
  const vars = editVars(text, {
    ...((isKidSecret || definesVar(text, "KID")) && { KID: current.kid }),
    PRIVATE_KEY: current.privateKey,
    ...(previous !== undefined && { PREVIOUS_KID: previous.kid, PREVIOUS_PRIVATE_KEY: previous.privateKey }),
  });
  const before = readFileSync(join(project.root, WRANGLER_TOML), "utf8");
  const toml = isKidSecret ? before : editToml(before, { env, vars: { KID: current.kid } });
  return [varsFile(project, vars), ...(isKidSecret ? [] : [{ name: WRANGLER_TOML, text: toml, mode: 0o644, before }])];
}

/** The vars file without the previous pair. */
export function filesWithoutPrevious(project: Project): readonly FileToWrite[] {
  const text = editVars(readVars(project), { PREVIOUS_KID: "", PREVIOUS_PRIVATE_KEY: "" });
  return [varsFile(project, text)];
}

function varsFile({ root, env }: Project, text: string): FileToWrite {
  const name = varsFileFor(env);
  return { name, text, mode: PRIVATE_MODE, before: readIfPresent(root, name) };
}

/** An environment without a vars file of its own has that of the top level, until it gets one. */
function readVars(project: Project): string {
  const path = [varsFileFor(project.env), DEFAULT_VARS_FILE]
    .map((name) => join(project.root, name))
    .find((path) => existsSync(path));
  return path === undefined ? "" : readFileSync(path, "utf8");
}
