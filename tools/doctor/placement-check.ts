import { existsSync } from "node:fs";
import { join } from "node:path";
import { secretCommand } from "../lib/commands.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { type Project, stringIn } from "../lib/project.ts";
import { SECRET_SETTINGS } from "../lib/secret-settings.ts";
import { DEFAULT_VARS_FILE, varsFileFor } from "../lib/vars-file.ts";
import { varsTable } from "../lib/vars-table.ts";

/** What a deployment without them does, as it does not read the vars file. */
const LIMITS: Readonly<Record<string, string>> = {
  CALLERS: "the deployed service is open",
  TOKEN_SCOPE: "deployed tokens have every permission of the app",
  ALLOWED_ORIGINS: "the deployed service serves all pages",
};

/** Finds secrets in wrangler.toml, which the next commit gives to everyone who can read the repository. */
export function checkSecretsInToml({ deployed, env }: Project): readonly Finding[] {
  const found = SECRET_SETTINGS.filter((name) => stringIn(deployed, name) !== undefined);
  return found.map((name) => {
    return failed(
      `${name} in wrangler.toml`,
      `stands under [${varsTable(env)}], which is for the repository and not secret`,
      `Move it to ${varsFileFor(env)}, and to Cloudflare: ${secretCommand(name, env)}. If it was ever committed, replace it.`,
    );
  });
}

/** Settings of the vars file are not deployed: those that limit something fail, others have to be secrets too. */
export function checkOnlyHere(project: Project): readonly Finding[] {
  const { deployed, local, env } = project;
  const names = Object.keys(local).filter((name) => local[name] !== "" && !(name in deployed));
  const limits = names.filter((name) => name in LIMITS);
  const others = names.filter((name) => !(name in LIMITS));
  const hint = `A deployment does not send them. Where the Worker lacks one: ${secretCommand("NAME", env)}`;
  return [
    ...limits.map((name) => missingLimit(name, project)),
    ...(others.length === 0 ? [] : [passed("only on this machine", others.join(", "), hint)]),
  ];
}

function missingLimit(name: string, { root, env }: Project): Finding {
  const file = existsSync(join(root, varsFileFor(env))) ? varsFileFor(env) : DEFAULT_VARS_FILE;
  const detail = `stands only there, which is not deployed: ${LIMITS[name]}`;
  const finding = failed(`${name} of ${file}`, detail, `Move it to [${varsTable(env)}] in wrangler.toml.`);
  return name === "CALLERS" ? { ...finding, topic: "callers" } : finding;
}
