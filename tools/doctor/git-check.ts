import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { DEFAULT_VARS_FILE, varsFileFor } from "../lib/vars-file.ts";

/** Has no secrets, and belongs to the repository. */
const EXAMPLE = `${DEFAULT_VARS_FILE}.example`;

/**
 * Checks that no vars file gets into the repository, and none is in it: by what git says of the top level and these
 * environments, or by .gitignore alone where there is no git or no repository.
 */
export function checkGit(root: string, environments: readonly string[]): readonly Finding[] {
  const listed = git(root, ["ls-files", "-z", "--", DEFAULT_VARS_FILE, `${DEFAULT_VARS_FILE}.*`]);
  const tracked = listed?.filter((name) => name !== EXAMPLE);
  if (tracked === undefined) return [checkGitignore(root)];
  const names = [DEFAULT_VARS_FILE, ...new Set(["production", ...environments].map(varsFileFor))];
  const ignored = git(root, ["check-ignore", "--no-index", "--stdin", "-z"], names.join("\0")) ?? [];
  return [judgeIgnored(names.filter((name) => !ignored.includes(name))), ...tracked.map(trackedFile)];
}

/** The names that git prints with `-z`, as they are; `undefined` without git or a repository. */
function git(root: string, args: readonly string[], input = ""): readonly string[] | undefined {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8", input });
  // 1 means that none of the files is ignored.
  return status === 0 || status === 1 ? stdout.split("\0").filter((name) => name !== "") : undefined;
}

function checkGitignore(root: string): Finding {
  const path = join(root, ".gitignore");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = text.split("\n").map((line) => line.trim().replace(/^(!?)\//, "$1"));
  const patterns = [DEFAULT_VARS_FILE, `${DEFAULT_VARS_FILE}.*`];
  return judgeIgnored(patterns.filter((pattern) => !isIgnored(pattern, lines)));
}

/** The last line that is about a file decides. One that lets any vars file in undoes the pattern for all of them. */
function isIgnored(pattern: string, lines: readonly string[]): boolean {
  const all = `${DEFAULT_VARS_FILE}*`;
  const isAbout = (line: string) =>
    [pattern, all, `!${pattern}`, `!${all}`].includes(line) ||
    (pattern.endsWith("*") && line.startsWith(`!${DEFAULT_VARS_FILE}.`) && line !== `!${EXAMPLE}`);
  return lines.findLast(isAbout)?.startsWith("!") === false;
}

function judgeIgnored(missing: readonly string[]): Finding {
  if (missing.length === 0) return passed(".gitignore", "covers .dev.vars and .dev.vars.*");
  const detail = `does not cover ${missing.join(" and ")}: secrets could be committed`;
  const hint = "Add the lines .dev.vars* and !.dev.vars.example, and remove those that undo them.";
  return { ...failed(".gitignore", detail, hint), topic: "gitignore" };
}

function trackedFile(name: string): Finding {
  const hint = `git rm --cached ${name}, and replace the key and other secrets in it: they are in the history.`;
  return failed(`${name} in git`, "is in the repository: everyone who can read it can read the secrets", hint);
}
