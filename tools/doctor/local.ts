import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as z from "zod";
import type { Config } from "../../src/config/config.ts";
import { setupCommand } from "../lib/commands.ts";
import type { Finding } from "../lib/finding.ts";
import { type Environment, type Project, readProject } from "../lib/project.ts";
import { DEFAULT_VARS_FILE, varsFileFor } from "../lib/vars-file.ts";
import { checkBindings } from "./bindings-check.ts";
import { checkCallers } from "./callers-check.ts";
import { checkEnvironments } from "./environments-check.ts";
import { checkGit } from "./git-check.ts";
import { checkKey, type PairNames } from "./key-check.ts";
import { checkNode, checkVarsFileMode, checkWrangler } from "./machine-check.ts";
import { checkOnlyHere, checkSecretsInToml } from "./placement-check.ts";
import { checkRegion } from "./region-check.ts";
import { checkRotation } from "./rotation-check.ts";
import { checkSettings, type View } from "./settings-check.ts";

const packageFile = z.object({ devDependencies: z.object({ wrangler: z.string() }).optional() });
const wranglerFile = z.object({ version: z.string(), engines: z.object({ node: z.string() }) });

/** The findings on this machine, and the settings for further checks. */
type LocalFindings = {
  readonly findings: readonly Finding[];
  /** `undefined` if a setting is wrong. */
  readonly config: Config | undefined;
};

/**
 * Checks what can be checked on this machine without a network: programs, settings, key, callers, files.
 * `secrets` are those that a deployment sends along.
 * @throws Failure when wrangler cannot read wrangler.toml.
 */
export async function checkLocal(
  root: string,
  env: string | undefined,
  view: View,
  secrets: Environment = {},
): Promise<LocalFindings> {
  const read = readProject(root, env);
  const project = { ...read, [view]: { ...read[view], ...secrets } };
  const others = env === undefined ? read.environments.map((name) => readProject(root, name)) : [];
  const { findings, config } = await checkSettings(project, view);
  const ofConfig = config === undefined ? [] : [checkRegion(config, view), ...checkCallers(config, env)];
  return {
    config,
    findings: [
      ...checkMachine(project),
      ...findings,
      ...(await checkKeys(project[view], env)),
      ...ofConfig,
      ...checkBindings(project),
      ...(await checkOnlyHere(project)),
      ...checkRotation(project),
      ...[read, ...others].flatMap(checkSecretsInToml),
      ...(env === undefined ? checkEnvironments(project, others) : checkEnvironments(readProject(root), [project])),
    ],
  };
}

/** Checks the keys even when other settings are wrong. */
async function checkKeys(environment: Environment, env: string | undefined): Promise<readonly Finding[]> {
  const pairs: readonly PairNames[] = [
    { key: "PRIVATE_KEY", kid: "KID", replace: `Replace it: ${setupCommand(env, "--key-file private_key.pem")}` },
    { key: "PREVIOUS_PRIVATE_KEY", kid: "PREVIOUS_KID", replace: "Replace it, or remove it and PREVIOUS_KID." },
  ];
  const keys = pairs.flatMap((names) => {
    const pem = environment[names.key];
    const kid = environment[names.kid];
    if (typeof pem !== "string" || pem.trim() === "") return [];
    return [checkKey(names, pem, typeof kid === "string" ? kid : "")];
  });
  return Promise.all(keys);
}

function checkMachine({ root, env, environments }: Project): readonly Finding[] {
  const wrangler = wranglerFile.parse(createRequire(join(root, "package.json"))("wrangler/package.json"));
  const wanted = packageFile.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8"))).devDependencies
    ?.wrangler;
  const varsFiles = [...new Set([DEFAULT_VARS_FILE, varsFileFor(env)])];
  return [
    checkNode(process.version, wrangler),
    checkWrangler(wrangler, wanted),
    ...checkGit(root, environments),
    ...varsFiles
      .filter((name) => existsSync(join(root, name)))
      .map((name) => checkVarsFileMode(name, statSync(join(root, name)).mode)),
  ];
}
