import { parseSettings } from "../../src/config/settings.ts";
import { isOpen } from "../../src/core/auth/caller.ts";
import { setupCommand } from "../lib/commands.ts";
import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import { refuseMissing } from "../lib/questions.ts";
import type { RotateOptions, RotatePorts } from "./context.ts";
import { missingPairOptions } from "./key-pairs.ts";
import { BY_HAND, type RotationState } from "./rotation-state.ts";

/** What is tried at Coze, and what the files are made from. */
const TRIED = ["CLIENT_ID", "KID", "PRIVATE_KEY", "TOKEN_ENDPOINT", "AUDIENCE"];

/** What this command sets and removes as secrets. */
const SET_AS_SECRETS = ["PRIVATE_KEY", "PREVIOUS_KID", "PREVIOUS_PRIVATE_KEY"];

/**
 * Refuses settings whose key cannot be rotated in the way of this command.
 * @throws Failure that says what to do.
 */
export function refuseUnsuitable({ env, deployed, local, stored }: Project): void {
  if (!local["CLIENT_ID"]) throw new Failure(`${env ?? "The service"} is not set up: ${setupCommand(env)}`);
  const manual = `Follow ${BY_HAND}.`;
  if (stored.includes("PRIVATE_KEY")) throw new Failure(`PRIVATE_KEY is in the Secrets Store. ${manual}`);
  const secret = SET_AS_SECRETS.find((name) => deployed[name]);
  if (secret !== undefined) throw new Failure(`wrangler.toml has ${secret}, which has to be a secret. ${manual}`);
  if (local["PREVIOUS_KID"] || local["PREVIOUS_PRIVATE_KEY"]) {
    throw new Failure(
      "The vars file has PREVIOUS_KID or PREVIOUS_PRIVATE_KEY: a rotation was begun by hand. Finish it first, and " +
        "take both out of the file.",
    );
  }
}

/**
 * Refuses settings that are not those that were tried at Coze.
 * @throws Failure that names the setting.
 */
export function refuseChanged(before: Project, after: Project): void {
  refuseUnsuitable(after);
  const isChanged = (name: string) =>
    before.deployed[name] !== after.deployed[name] || before.local[name] !== after.local[name];
  const changed = TRIED.find(isChanged);
  if (changed === undefined) return;
  throw new Failure(`${changed} was changed while this ran, so nothing was written. Run npm run rotate again.`);
}

/**
 * Names everything that will be missing, at once.
 * @throws Failure when there is no terminal and an option is missing, or when nothing could show that a closed service
 * works with the new key alone.
 */
export async function requireOptions(
  project: Project,
  options: RotateOptions,
  { prompter, credential, keyFile, say }: Pick<RotatePorts, "prompter" | "credential" | "keyFile" | "say">,
  begun: RotationState | undefined,
): Promise<void> {
  if (prompter === undefined) {
    refuseMissing([
      ...(begun === undefined ? missingPairOptions(options, project, { keyFile }) : []),
      ...(options.yes || options.dryRun ? [] : ["--yes"]),
    ]);
  }
  if (!options.tokenCheck || credential !== undefined || !(await isClosed(project))) return;
  const needed =
    "The service is closed: put an API key or a JWT of a caller into the variable CREDENTIAL, so that it can be checked " +
    "with the new key alone. --no-token-check goes on without that check.";
  if (!options.dryRun) throw new Failure(needed);
  say(needed);
}

/** Whether nobody gets a token without a credential. */
async function isClosed({ local, deployed }: Project): Promise<boolean> {
  const { settings } = await parseSettings({ ...local, ...deployed });
  return settings.CALLERS !== undefined && !isOpen(settings.CALLERS);
}
