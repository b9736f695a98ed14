import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { type DeployOptions, type DeployPorts, deploy } from "./deploy.ts";

/**
 * Deploys together with these secrets, by name, in one step, and checks the deployed service. The secrets are in a
 * private file meanwhile, which is removed afterwards.
 * @returns the exit code.
 */
export async function deploySecrets(
  secrets: Readonly<Record<string, string>>,
  options: Pick<DeployOptions, "root" | "env" | "url" | "credential" | "isRotation">,
  ports: DeployPorts,
): Promise<number> {
  using folder = createPrivateFolder("secrets");
  const file = join(folder.path, "secrets.json");
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  const wranglerArguments = ["--secrets-file", file];
  // A rotation changes keys alone, and must not stop half-way at what was deployed before.
  const allowOpen = options.isRotation === true;
  return await deploy({ ...options, dryRun: false, allowOpen, wranglerArguments }, ports);
}
