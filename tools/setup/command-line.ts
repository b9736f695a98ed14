import { Command, Option } from "commander";
import { createEnvOption } from "../lib/env-option.ts";
import { RECIPE_NAMES } from "./recipes.ts";
import type { SetupOptions } from "./setup.ts";

/** What the command line says. */
export type CommandLine = {
  readonly options: SetupOptions;
  /** `undefined` is the top level of wrangler.toml. */
  readonly env: string | undefined;
  readonly json: boolean;
  readonly deploy: boolean;
  /** Whether any answer is given. */
  readonly hasAnswers: boolean;
};

type Options = Omit<SetupOptions, "yes" | "dryRun"> & {
  readonly env?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly deploy?: boolean;
};

/** Reads the options. Answers `--help` and mistakes itself, and then ends the process. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const command = new Command("npm run setup --")
    .description(
      "Writes the settings of the service, from the private key that Coze offered for download: asks for what no option gives, " +
        "tries the key at Coze, and writes .dev.vars and wrangler.toml at the end. What is set already is kept.",
    )
    .option("--client-id <id>", "the id of the OAuth app")
    .option(
      "--key-file <path>",
      "the private key, in any form (default: the newest private_key*.pem here or in Downloads)",
    )
    .option("--kid <fingerprint>", "the fingerprint of the public key")
    .addOption(
      new Option("--region <region>", "where the app is from (default: the one that knows it)").choices(["cn", "com"]),
    )
    .addOption(new Option("--token-endpoint <url>", "another token endpoint, such as a proxy").conflicts("region"))
    .addOption(new Option("--access <who>", "who may request tokens").choices(["open", "key", "issuer"]))
    .option("--caller <name>", "name of the first caller, with --access key or issuer")
    .addOption(new Option("--recipe <name>", "with --access issuer: the login").choices([...RECIPE_NAMES]))
    .option("--issuer <id>", "with --recipe: its project, tenant, team or repository")
    .option("--audience <value>", "with --recipe: the audience, where the login needs one")
    .option("--bot-ids <ids>", "bots that tokens are for, separated by commas")
    .option("--permissions <names>", "permissions of tokens, separated by commas")
    .option("--origins <origins>", "origins of pages that may call, separated by commas")
    .option("--domain <host>", "custom domain of the Worker")
    .addOption(createEnvOption("the environment of wrangler.toml to set up, instead of its top level"))
    .option("--no-exchange", "do not try the key at Coze")
    .option("--deploy", "deploy with all secrets in one step, and check the deployed service")
    .option("--yes", "take the defaults, and write without asking")
    .option("--dry-run", "show what would be written, and write and send nothing")
    .option("--json", "print the result as JSON")
    .helpOption("--help", "show this")
    .addHelpText(
      "after",
      `
Examples:
  npm run setup
  npm run setup -- --region com --client-id 1127896425345 --kid FINGERPRINT --key-file private_key.pem --access key --yes`,
    )
    .showHelpAfterError("npm run setup -- --help lists the options.")
    .parse(args, { from: "user" });

  const { env, json = false, yes = false, dryRun = false, deploy = false, ...answers } = command.opts<Options>();
  const hasAnswers = Object.keys(answers).some((name) => name !== "exchange");
  return { options: { ...answers, yes, dryRun }, env, json, deploy, hasAnswers };
}
