import { Option } from "commander";

/** Creates the option `--env`. An empty name is the top level of wrangler.toml, as it is for wrangler. */
export function createEnvOption(description: string): Option {
  return new Option("-e, --env <name>", description).argParser((name) => name || undefined);
}
