import { setupCommand } from "../lib/commands.ts";
import { type Finding, failed } from "../lib/finding.ts";
import { hasCallers, type Project } from "../lib/project.ts";

/**
 * Finds environments that would be open although the top level is closed, as wrangler does not inherit `vars`, and those
 * that would take its routes and custom domains, as wrangler inherits `routes`.
 */
export function checkEnvironments(topLevel: Project, environments: readonly Project[]): readonly Finding[] {
  return environments.flatMap((environment) => [
    ...(hasCallers(topLevel) && !hasCallers(environment) ? [openEnvironment(environment)] : []),
    ...(environment.takenRoutes.length > 0 ? [takenDomain(environment)] : []),
  ]);
}

function openEnvironment({ env }: Project): Finding {
  const detail = "has no CALLERS, which the top level has: environments do not inherit them, so it is open";
  const hint = `Close it: ${setupCommand(env, "--access key")}. Or remove every [env.${env}…] table from wrangler.toml.`;
  return { ...failed(`environment ${env}`, detail, hint), topic: "environment" };
}

function takenDomain({ env, takenRoutes }: Project): Finding {
  const detail = `has ${takenRoutes.join(", ")} of the top level: its deployment would take that over`;
  const hint = `Add routes = [] below [env.${env}] in wrangler.toml, or routes of its own.`;
  return { ...failed(`domain of ${env}`, detail, hint), topic: "domain" };
}
