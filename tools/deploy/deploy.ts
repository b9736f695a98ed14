import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { checkLocal } from "../doctor/local.ts";
import { rollbackCommand } from "../lib/commands.ts";
import { Failure } from "../lib/failure.ts";
import { type Finding, findingsTable } from "../lib/finding.ts";
import type { Environment } from "../lib/project.ts";
import { type CheckOptions, type CheckPorts, checkUntilRight } from "./check-until-right.ts";
import type { RunWrangler } from "./run-wrangler.ts";

/** What to deploy, and how. */
export type DeployOptions = CheckOptions & {
  /** Builds and checks, and deploys nothing. */
  readonly dryRun: boolean;
  /** Deploys what is open or not limited, though the top level or this machine is. */
  readonly allowOpen: boolean;
  /** Whether this deployment is a step of a key rotation; no other one is made while that step is due. */
  readonly isRotation?: boolean;
  /** Where the service responds; by default, where wrangler says. */
  readonly url?: URL | undefined;
  /** For wrangler, such as `--keep-vars`. */
  readonly wranglerArguments: readonly string[];
};

/** What a deployment needs of the outside: wrangler, a person to tell, and time. */
export type DeployPorts = CheckPorts & { readonly runWrangler: RunWrangler };

/** With another configuration or name, wrangler would not deploy what is checked here. */
const OTHER_WORKER = /^(-c.*|--(config|cwd|name|script|var|dry-?run|no-dry-run|secretsFile)(=.*)?)$/i;

/** Between two checks of a new deployment, unless a test is in a hurry. */
export const CHECK_INTERVAL_MS = 5000;

/**
 * Checks the settings, builds, deploys, and checks the deployed service. Shows how to roll back when one of the last two fails.
 * @returns the exit code.
 * @throws Failure when a file cannot be read, or an argument for wrangler would deploy something else than was checked.
 */
export async function deploy(options: DeployOptions, ports: DeployPorts): Promise<number> {
  const { dryRun, env, wranglerArguments } = options;
  refuseArguments(wranglerArguments);
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
  const url = options.url ?? deployedUrl(deployed.targets);
  if (url !== undefined) return (await checkUntilRight(url, options, ports)) ? 0 : 1;
  ports.say("Deployed. wrangler reports no URL: check it with npm run doctor -- --url https://…");
  return 0;
}

function refuseArguments(wranglerArguments: readonly string[]): void {
  const [first = "-"] = wranglerArguments;
  const wrong = first.startsWith("-") ? wranglerArguments.find((argument) => OTHER_WORKER.test(argument)) : first;
  if (wrong === undefined) return;
  throw new Failure(`npm run deploy takes no ${wrong}: it deploys what wrangler.toml says. npm run deploy -- --help`);
}

/**
 * The URL among what wrangler has deployed to; a custom domain, which is the one that clients know, first. wrangler
 * writes it as `host (custom domain …)`.
 */
export function deployedUrl(targets: readonly string[]): URL | undefined {
  const urls = targets.flatMap((target) => {
    const [address = ""] = target.split(" ");
    const url = URL.parse(address.includes("://") ? address : `https://${address}`);
    return url === null || address.includes("*") ? [] : [url];
  });
  return urls.find(({ hostname }) => !hostname.endsWith(".workers.dev")) ?? urls[0];
}

type CheckedBefore = {
  readonly wrong: readonly Finding[];
  /** On what the deployed Worker will lack. */
  readonly notes: readonly Finding[];
};

async function checkBefore({
  root,
  env,
  allowOpen,
  isRotation = false,
  wranglerArguments,
}: DeployOptions): Promise<CheckedBefore> {
  const { findings } = await checkLocal(root, env, "deployed", readSecrets(wranglerArguments));
  // Another environment is not what is deployed now, and wrangler does not look at .gitignore.
  const isNotAboutThisDeployment = ({ topic }: Finding) =>
    topic === "gitignore" ||
    (topic === "rotation" && isRotation) ||
    (topic === "environment" && (env === undefined || allowOpen)) ||
    (topic === "limit" && allowOpen) ||
    (topic === "domain" && env === undefined);
  return {
    wrong: findings.filter((finding) => !finding.ok && !isNotAboutThisDeployment(finding)),
    notes: findings.filter(({ topic, ok, hint }) => ok && hint !== "" && topic === "deployment"),
  };
}

/** Those of `--secrets-file`, in JSON or as in a vars file. */
function readSecrets(wranglerArguments: readonly string[]): Environment {
  const at = wranglerArguments.findIndex((argument) => /^--secrets-file(=|$)/.test(argument));
  if (at === -1) return {};
  const path = wranglerArguments[at]?.match(/=(.+)/)?.[1] ?? wranglerArguments[at + 1] ?? "";
  try {
    const text = readFileSync(path, "utf8");
    return text.trimStart().startsWith("{") ? JSON.parse(text) : parseEnv(text);
  } catch {
    throw new Failure(`${path} cannot be read. It must be JSON, or have the format of .dev.vars.`);
  }
}
