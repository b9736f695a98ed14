import { type Finding, failed } from "../lib/finding.ts";
import type { Project } from "../lib/project.ts";
import { setupCommand } from "../lib/setup-command.ts";

/** Finds environments that would be open although the top level is closed: wrangler does not inherit `vars`. */
export function checkEnvironments(topLevel: Project, environments: readonly Project[]): readonly Finding[] {
  if (!hasCallers(topLevel)) return [];
  return environments.filter((environment) => !hasCallers(environment)).map(openEnvironment);
}

function hasCallers({ deployed }: Project): boolean {
  return deployed["CALLERS"] !== undefined;
}

function openEnvironment({ env }: Project): Finding {
  const detail = "has no CALLERS, which the top level has: environments do not inherit them, so it is open";
  const hint = `Close it: ${setupCommand(env, "--access key")}. Or remove [env.${env}] from wrangler.toml, if you do not deploy it.`;
  return failed(`environment ${env}`, detail, hint);
}
