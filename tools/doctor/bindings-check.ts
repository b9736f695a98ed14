import { type Finding, passed } from "../lib/finding.ts";
import type { Project } from "../lib/project.ts";

/** What is missing without each binding. wrangler gives environments none of the top level's. */
const WITHOUT = {
  TOKEN_CACHE: "isolates share no tokens",
  RATE_LIMITER: "requests are not limited",
  EXCHANGE_LIMITER: "new tokens are not limited",
} as const;

/** Says which bindings are missing that the wrangler.toml of the repository has. */
export function checkBindings({ deployed, env }: Project): readonly Finding[] {
  const missing = Object.entries(WITHOUT).filter(([name]) => !(name in deployed));
  if (missing.length === 0) return [];
  const detail = missing.map(([name, effect]) => `no ${name}: ${effect}`).join("; ");
  const tables = env === undefined ? "the tables" : `the tables of [env.production], for [env.${env}],`;
  const hint = `Copy ${tables} from the wrangler.toml that the repository ships.`;
  return [{ ...passed("bindings", detail, hint), topic: "deployment" }];
}
