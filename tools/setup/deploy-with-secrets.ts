import type { DeployPorts } from "../deploy/deploy.ts";
import { deploySecrets } from "../deploy/deploy-secrets.ts";
import { readProject } from "../lib/project.ts";

/** The settings that belong into no wrangler.toml. */
const SECRET_NAMES = ["PRIVATE_KEY", "PREVIOUS_PRIVATE_KEY", "PREVIOUS_KID", "TURNSTILE_SECRET_KEY"];

/**
 * Deploys a folder together with the secrets of its vars file, in one step, and checks the deployed service.
 * @returns the exit code.
 */
export function deployWithSecrets(
  root: string,
  env: string | undefined,
  credential: string | undefined,
  ports: DeployPorts,
): Promise<number> {
  const { local, deployed } = readProject(root, env);
  const secrets = SECRET_NAMES.filter((name) => local[name] && !(name in deployed)).map(
    (name) => [name, String(local[name])] as const,
  );
  return deploySecrets(Object.fromEntries(secrets), { root, env, credential }, ports);
}
