import { Command } from "commander";
import { createEnvOption } from "../lib/env-option.ts";
import { parseUrlOption } from "../lib/url-option.ts";
import type { RotateOptions } from "./context.ts";

/** What the command line says. */
export type CommandLine = {
  readonly options: RotateOptions;
  /** `undefined` is the top level of wrangler.toml. */
  readonly env: string | undefined;
  readonly json: boolean;
};

type Options = Omit<RotateOptions, "yes" | "dryRun"> & {
  readonly env?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
};

/** Reads the options. Answers `--help` and mistakes itself, and then ends the process. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const command = new Command("npm run rotate --")
    .description(
      "Rotates the private key without an outage. First add a second key to the app in the Coze console, and download it. " +
        "Then this tries it at Coze, deploys it together with the old one, checks the service, removes the old one, and " +
        "says when that may be deleted at Coze. After an interruption, run it again: it goes on where it was.",
    )
    .option(
      "--key-file <path>",
      "the new private key, in any form (default: the newest private_key*.pem here or in Downloads)",
    )
    .option("--kid <fingerprint>", "the fingerprint of the new public key")
    .option("--old-key-file <path>", "the private key that is in use now (default: PRIVATE_KEY of .dev.vars)")
    .option("--old-kid <fingerprint>", "its fingerprint (default: KID of wrangler.toml or .dev.vars)")
    .option(
      "--no-old-key",
      "the old private key is lost: deploy the new one alone; or it is deleted at Coze since: go on without trying it",
    )
    .addOption(createEnvOption("the environment of wrangler.toml, instead of its top level"))
    .option("--url <url>", "where the service responds, if not where wrangler says", parseUrlOption)
    .option(
      "--no-token-check",
      "request no token of a closed service, if you have no CREDENTIAL; then check it yourself",
    )
    .option("--yes", "take the defaults, and go on without asking")
    .option("--dry-run", "show what would be done, and write and send nothing")
    .option("--json", "print the result as JSON")
    .helpOption("--help", "show this")
    .addHelpText(
      "after",
      `
The exit code is 0 when the rotation is finished, 2 when it is to be run again later, 1 when something has failed.
A closed service needs the variable CREDENTIAL, an API key or a JWT, so that the checks can request a token.

Examples:
  npm run rotate
  npm run rotate -- --env production --key-file private_key.pem --kid FINGERPRINT --yes
  npm run rotate -- --env production --yes        # goes on`,
    )
    .showHelpAfterError("npm run rotate -- --help lists the options.")
    .parse(args, { from: "user" });

  const { env, json = false, yes = false, dryRun = false, ...others } = command.opts<Options>();
  return { options: { ...others, yes, dryRun }, env, json };
}
