import { parseCallers } from "../../src/config/parse-callers.ts";
import { isOpen } from "../../src/core/auth/caller.ts";
import { parseAllowedOrigins } from "../../src/core/auth/origins.ts";
import type { Project } from "../lib/project.ts";
import type { DeploymentOptions } from "./deployment.ts";

/** What wrangler.toml says about the deployed service: whether it is closed, and which pages may call. */
export function expectationsFor({
  deployed,
}: Project): Pick<DeploymentOptions, "origin" | "restrictsOrigins" | "isClosed"> {
  const allowed = parseAllowedOrigins(String(deployed["ALLOWED_ORIGINS"] || "*").trim());
  const listed = "value" in allowed && allowed.value !== "*" ? allowed.value : [];
  const [origin] = listed.flatMap((rule) => ("origin" in rule ? [rule.origin] : []));
  const callers = deployed["CALLERS"] === undefined ? undefined : parseCallers(deployed["CALLERS"]);
  const isClosed = callers !== undefined && "value" in callers && !isOpen(callers.value);
  return { origin, restrictsOrigins: listed.length > 0, isClosed };
}
