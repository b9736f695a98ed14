import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import { refuseMissing } from "../setup/questions.ts";
import type { Context } from "./context.ts";
import { missingPairFlags } from "./key-pairs.ts";
import type { Rotation } from "./rotation.ts";

/**
 * Refuses settings whose key cannot be changed in the way of this command.
 * @throws Failure that says what to do.
 */
export function refuseUnsuitable({ deployed, local, stored }: Project): void {
  const manual = "Follow docs/operations.md, Changing the key without an outage.";
  if (stored.includes("PRIVATE_KEY")) throw new Failure(`PRIVATE_KEY is in the Secrets Store. ${manual}`);
  const secret = ["PRIVATE_KEY", "PREVIOUS_KID", "PREVIOUS_PRIVATE_KEY"].find((name) => deployed[name]);
  if (secret !== undefined) throw new Failure(`wrangler.toml has ${secret}, which has to be a secret. ${manual}`);
  if (local["PREVIOUS_KID"] || local["PREVIOUS_PRIVATE_KEY"]) {
    throw new Failure(
      "The vars file has PREVIOUS_KID or PREVIOUS_PRIVATE_KEY: a change of the key was begun by hand. Finish it first, and " +
        "take both out of the file.",
    );
  }
}

/**
 * Names everything that will be missing, at once.
 * @throws Failure when there is no terminal and a flag is missing.
 */
export function requireFlags({ project, options, ports }: Context, begun: Rotation | undefined): void {
  if (ports.prompter !== undefined) return;
  const missing = [
    ...(begun === undefined ? missingPairFlags(options, project) : []),
    ...(options.yes || options.dryRun ? [] : ["--yes"]),
  ];
  refuseMissing(missing);
}
