import type { DeployPorts } from "../deploy/deploy.ts";
import { deploySecrets } from "../deploy/deploy-secrets.ts";
import { readProject } from "../lib/project.ts";
import { SECRET_SETTINGS } from "../lib/secret-settings.ts";

/** A KID is not secret, but the previous one is set and removed together with its key. */
const DEPLOYED_AS_SECRETS = [...SECRET_SETTINGS, "PREVIOUS_KID"];

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
  const secrets = DEPLOYED_AS_SECRETS.filter((name) => local[name] && !(name in deployed)).map(
    (name) => [name, String(local[name])] as const,
  );
  return deploySecrets(Object.fromEntries(secrets), { root, env, credential }, ports);
}
