import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";
import { checkDeployment } from "../doctor/deployment.ts";
import { expectationsFor } from "../doctor/expectations.ts";
import { checkLocal } from "../doctor/local.ts";
import { Failure } from "../lib/failure.ts";
import { type Finding, findingsTable, hasFailed } from "../lib/finding.ts";
import { type Environment, readProject } from "../lib/project.ts";
import type { RunWrangler } from "./run-wrangler.ts";

export type DeployOptions = {
  readonly root: string;
  /** `undefined` is the top level. */
  readonly env: string | undefined;
  /** Builds and checks, and deploys nothing. */
  readonly dryRun: boolean;
  /** Deploys an environment without callers, though the top level has some. */
  readonly allowOpen: boolean;
  /** Where the service responds; by default, where wrangler says. */
  readonly url?: URL | undefined;
  /** Of a caller: an API key or a JWT, to request a token of a closed service. */
  readonly credential?: string | undefined;
  /** For wrangler, such as `--keep-vars`. */
  readonly wranglerArguments: readonly string[];
};

export type DeployPorts = {
  readonly runWrangler: RunWrangler;
  readonly say: (text: string) => void;
  /** How wide a table may be. */
  readonly width: number;
  /** Between two looks at a new deployment. */
  readonly pauseMs: number;
};

/** A new version takes seconds to be everywhere, a new host name and its certificate minutes. */
const LOOKS = 4;
const LOOKS_AT_A_NEW_NAME = 36;

/**
 * Checks the settings, builds, deploys, and checks the deployed service. Shows how to roll back when one of the last two fails.
 * @returns the exit status.
 * @throws Failure when a file cannot be read.
 */
export async function deploy(options: DeployOptions, ports: DeployPorts): Promise<number> {
  const { dryRun, env, wranglerArguments } = options;
  const { wrong, notes } = await checkBefore(options);
  if (wrong.length > 0) {
    ports.say(findingsTable(wrong, { width: ports.width }));
    ports.say("Nothing was deployed.");
    return 1;
  }

  for (const { name, detail, hint } of notes) ports.say(`Note on ${name}: ${detail}. ${hint}`);
  const command = ["deploy", `--env=${env ?? ""}`, ...wranglerArguments];
  const built = await ports.runWrangler([...command, "--dry-run"], !dryRun);
  if (dryRun || built.code !== 0) {
    if (built.code !== 0) ports.say(`${built.output}\nThe build has failed: nothing was deployed.`);
    return built.code;
  }

  const deployed = await ports.runWrangler(command, false);
  if (deployed.code !== 0) {
    const login = "If wrangler asks for a login: npx wrangler login, or in CI the variable CLOUDFLARE_API_TOKEN.";
    const rollback = `If a new version was deployed all the same: ${rollbackCommand(env)}`;
    ports.say(`${deployed.output}\nThe deployment has failed. ${login}\n${rollback}`.trimStart());
    return deployed.code;
  }
  const url = options.url ?? addressIn(deployed.targets);
  if (url !== undefined) return (await lookUntilRight(url, options, ports)) ? 0 : 1;
  ports.say("Deployed. wrangler names no address: check it with npm run doctor -- --url https://…");
  return 0;
}

/**
 * Checks the deployed service, again and again for a while, until it is right, and shows what was found. Shows how to
 * roll back if it does not get right.
 */
export async function lookUntilRight(
  url: URL,
  { root, env, credential }: Pick<DeployOptions, "root" | "env" | "credential">,
  ports: Omit<DeployPorts, "runWrangler">,
): Promise<boolean> {
  const expected = { ...expectationsFor(readProject(root, env)), credential, env };
  let findings = await checkDeployment(url, expected);
  for (let look = 1; hasFailed(findings) && look < looksFor(findings); look += 1) {
    const wrong = findings.filter(({ ok }) => !ok).map(({ name }) => name);
    ports.say(`Not right yet: ${wrong.join(", ")}. Looking again in ${ports.pauseMs / 1000} s ...`);
    await sleep(ports.pauseMs);
    findings = await checkDeployment(url, expected);
  }
  ports.say(findingsTable(findings, { width: ports.width }));
  if (!hasFailed(findings)) return true;
  if (isUnreachable(findings)) {
    ports.say(
      `${url.host} cannot be reached from this machine. The service may be fine: check it from another network.`,
    );
  }
  ports.say(`To roll back to the previous version, if there is one: ${rollbackCommand(env)}`);
  return false;
}

function looksFor(findings: readonly Finding[]): number {
  return isUnreachable(findings) ? LOOKS_AT_A_NEW_NAME : LOOKS;
}

function isUnreachable(findings: readonly Finding[]): boolean {
  return findings.some(({ name, ok }) => !ok && /: (DNS|TLS)$/.test(name));
}

/**
 * The address among what wrangler has deployed to; a custom domain, which is the one that clients know, first. wrangler
 * writes it as `host (custom domain …)`.
 */
export function addressIn(targets: readonly string[]): URL | undefined {
  const urls = targets.flatMap((target) => {
    const [address = ""] = target.split(" ");
    const url = URL.parse(address.includes("://") ? address : `https://${address}`);
    return url === null || address.includes("*") ? [] : [url];
  });
  return urls.find(({ hostname }) => !hostname.endsWith(".workers.dev")) ?? urls[0];
}

/** The checks whose advice is about what is deployed. */
const NOTED = ["settings", "region", "bindings"];

type CheckedBefore = {
  readonly wrong: readonly Finding[];
  /** On what the deployed Worker will lack. */
  readonly notes: readonly Finding[];
};

async function checkBefore({ root, env, allowOpen, wranglerArguments }: DeployOptions): Promise<CheckedBefore> {
  const { findings } = await checkLocal(root, env, "deployed", readSecrets(wranglerArguments));
  // Another environment is not what is deployed now, and wrangler does not look at .gitignore.
  const isOther = ({ name }: Finding) =>
    name === ".gitignore" ||
    (name.startsWith("environment ") && (env === undefined || allowOpen)) ||
    (name.startsWith("CALLERS of ") && allowOpen) ||
    (name.startsWith("domain of ") && env === undefined);
  return {
    wrong: findings.filter((finding) => !finding.ok && !isOther(finding)),
    notes: findings.filter(({ name, ok, hint }) => ok && hint !== "" && NOTED.includes(name)),
  };
}

/** Those of `--secrets-file`, in JSON or as in a vars file. */
function readSecrets(wranglerArguments: readonly string[]): Environment {
  const at = wranglerArguments.findIndex((argument) => /^--secrets-file(=|$)/.test(argument));
  if (at === -1) return {};
  const path = wranglerArguments[at]?.split("=")[1] ?? wranglerArguments[at + 1] ?? "";
  try {
    const text = readFileSync(path, "utf8");
    return text.trimStart().startsWith("{") ? JSON.parse(text) : parseEnv(text);
  } catch {
    throw new Failure(`The secrets in ${path} cannot be read: it must be a file of JSON, or one like .dev.vars.`);
  }
}

function rollbackCommand(env: string | undefined): string {
  return `npx wrangler rollback --env="${env ?? ""}"`;
}
