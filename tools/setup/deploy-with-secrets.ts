import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DeployPorts, deploy } from "../deploy/deploy.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { readProject } from "../lib/project.ts";
import { INTERRUPTED_EXIT_CODE } from "../lib/stop-request.ts";

const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The settings that belong into no wrangler.toml. */
const SECRET_NAMES = ["PRIVATE_KEY", "PREVIOUS_PRIVATE_KEY", "PREVIOUS_KID", "TURNSTILE_SECRET_KEY"];

/**
 * Deploys a folder together with the secrets of its vars file, in one step, and checks the deployed service.
 * @returns the exit status.
 */
export async function deployWithSecrets(
  root: string,
  env: string | undefined,
  credential: string | undefined,
  ports: DeployPorts,
): Promise<number> {
  // Whatever ends this process by way of exit takes the folder of the secrets with it.
  const end = () => process.exit(INTERRUPTED_EXIT_CODE);
  for (const signal of END_SIGNALS) process.on(signal, end);

  const { local, deployed } = readProject(root, env);
  const secrets = SECRET_NAMES.filter((name) => local[name] && !(name in deployed)).map((name) => [name, local[name]]);
  const file = join(createPrivateFolder("secrets"), "secrets.json");
  writeFileSync(file, JSON.stringify(Object.fromEntries(secrets)), { mode: 0o600 });
  try {
    const wranglerArguments = ["--secrets-file", file];
    return await deploy({ root, env, dryRun: false, allowOpen: false, credential, wranglerArguments }, ports);
  } finally {
    rmSync(file);
    for (const signal of END_SIGNALS) process.off(signal, end);
  }
}
