import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { INTERRUPTED_EXIT_CODE } from "../lib/stop-request.ts";
import { type DeployOptions, type DeployPorts, deploy } from "./deploy.ts";

const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Deploys together with these secrets, by name, in one step, and checks the deployed service. The secrets are in a
 * private file meanwhile, which is removed afterwards, also when a signal ends this process.
 * @returns the exit status.
 */
export async function deploySecrets(
  secrets: Readonly<Record<string, string>>,
  options: Pick<DeployOptions, "root" | "env" | "url" | "credential">,
  ports: DeployPorts,
): Promise<number> {
  // A process that ends by way of exit takes the folder of the secrets with it.
  const end = () => process.exit(INTERRUPTED_EXIT_CODE);
  for (const signal of END_SIGNALS) process.on(signal, end);

  using folder = createPrivateFolder("secrets");
  const file = join(folder.path, "secrets.json");
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  try {
    const wranglerArguments = ["--secrets-file", file];
    return await deploy({ ...options, dryRun: false, allowOpen: false, wranglerArguments }, ports);
  } finally {
    for (const signal of END_SIGNALS) process.off(signal, end);
  }
}
