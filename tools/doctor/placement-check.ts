import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseSettings, SETTING_NAMES, type Settings } from "../../src/config/settings.ts";
import { isOpen } from "../../src/core/auth/caller.ts";
import type { AllowedOrigins } from "../../src/core/auth/origins.ts";
import { deployCommand, secretCommand } from "../lib/commands.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { isLoopbackHost } from "../lib/loopback-host.ts";
import { type Project, stringIn } from "../lib/project.ts";
import { SECRET_SETTINGS } from "../lib/secret-settings.ts";
import { DEFAULT_VARS_FILE, varsFileFor } from "../lib/vars-file.ts";
import { varsTable } from "../lib/vars-table.ts";

/** A setting by which a service limits what it gives. */
type Limit = {
  readonly name: "CALLERS" | "TOKEN_SCOPE" | "ALLOWED_ORIGINS";
  /** What a deployment without the limit does. */
  readonly effect: string;
  /** Whether these settings have it; `undefined` if the setting is wrong. */
  readonly limits: (settings: Partial<Settings>) => boolean | undefined;
};

const LIMITS: readonly Limit[] = [
  {
    name: "CALLERS",
    effect: "the deployed service is open",
    limits: ({ CALLERS }) => CALLERS && !isOpen(CALLERS),
  },
  {
    name: "TOKEN_SCOPE",
    effect: "deployed tokens have every permission of the app",
    limits: (settings) => ("TOKEN_SCOPE" in settings ? settings.TOKEN_SCOPE !== undefined : undefined),
  },
  {
    name: "ALLOWED_ORIGINS",
    effect: "the deployed service serves all pages",
    limits: ({ ALLOWED_ORIGINS }) => ALLOWED_ORIGINS && ALLOWED_ORIGINS !== "*",
  },
];

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

/**
 * Settings of the vars file are not deployed. Finds what is closed or limited on this machine, and is not where it is
 * deployed; and names the others, which may have to be secrets too.
 */
export async function checkOnlyHere(project: Project): Promise<readonly Finding[]> {
  const { deployed, local, env } = project;
  const [here, there] = await Promise.all([parseSettings(local), parseSettings(deployed)]);
  const lost = LIMITS.filter(({ limits }) => limits(here.settings) && limits(there.settings) === false);
  const isLimit = (name: string) => LIMITS.some((limit) => limit.name === name);
  const isOnlyHere = (name: string) => name in local && local[name] !== "" && !(name in deployed);
  const others = SETTING_NAMES.filter((name) => isOnlyHere(name) && !isLimit(name));
  const hint = `A deployment does not send them. Where the Worker lacks one: ${secretCommand("NAME", env)}`;
  return [
    ...lost.map((limit) => lostLimit(limit, here.settings, project)),
    ...(others.length === 0 ? [] : [passed("only on this machine", others.join(", "), hint)]),
  ];
}

function lostLimit({ name, effect }: Limit, { ALLOWED_ORIGINS }: Partial<Settings>, { root, env }: Project): Finding {
  const file = [varsFileFor(env), DEFAULT_VARS_FILE].find((file) => existsSync(join(root, file)));
  const title = `${name} ${file === undefined ? "on this machine" : `of ${file}`}`;
  const detail = `limits this machine alone, as it is not deployed: ${effect}`;
  const move = `Move it to [${varsTable(env)}] in wrangler.toml.`;
  if (name === "ALLOWED_ORIGINS" && isForLocalWork(ALLOWED_ORIGINS)) {
    return passed(title, detail, `It lists only pages on this machine. For others: ${move}`);
  }
  const hint = `${move} Or, if the Worker has it as a secret: ${deployCommand(env, "--allow-open")}`;
  return { ...failed(title, detail, hint), topic: "limit" };
}

function isForLocalWork(origins: AllowedOrigins = "*"): boolean {
  return origins !== "*" && origins.every((rule) => "origin" in rule && isLoopbackHost(new URL(rule.origin).hostname));
}
