import { type Config, parseConfig } from "../../src/config/config.ts";
import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import type { Pair } from "./key-pairs.ts";

/**
 * Reads the settings that the deployed Worker has with a pair: those of wrangler.toml, and what only this machine has.
 * @throws Failure when a setting is wrong.
 */
export async function readConfig({ local, deployed }: Project, { kid, privateKey }: Pair): Promise<Config> {
  const pair = { KID: kid, PRIVATE_KEY: privateKey, PREVIOUS_KID: "", PREVIOUS_PRIVATE_KEY: "" };
  const parsed = await parseConfig({ ...local, ...deployed, ...pair });
  if ("value" in parsed) return parsed.value;
  const issues = parsed.issues.map(({ path, message }) => `${path} ${message}`).join("; ");
  throw new Failure(`The settings are not right: ${issues}. npm run doctor says more.`);
}
