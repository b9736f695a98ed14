import { Command } from "commander";
import { createEnvOption } from "../lib/env-option.ts";
import { printError } from "../lib/failure.ts";
import { exitOnSignals } from "../lib/stop-request.ts";
import { parseUrlOption } from "../lib/url-option.ts";
import { CHECK_INTERVAL_MS, deploy } from "./deploy.ts";
import { runWrangler } from "./run-wrangler.ts";

type Options = {
  readonly env?: string;
  readonly dryRun?: boolean;
  readonly allowOpen?: boolean;
  readonly url?: URL;
};

const command = new Command("npm run deploy --")
  .description("Checks the settings, builds, deploys with wrangler, and checks the deployed service.")
  .addOption(createEnvOption("the environment of wrangler.toml to deploy, instead of its top level"))
  .option("--dry-run", "check and build, and deploy nothing; needs no account")
  .option(
    "--allow-open",
    "deploy a service that is open, though the top level is closed, or without a limit that .dev.vars has",
  )
  .option("--url <url>", "where the service responds, if not where wrangler says", parseUrlOption)
  .helpOption("--help", "show this")
  .addHelpText(
    "after",
    `
All other options go to wrangler deploy, such as --keep-vars and --secrets-file.
The variable CREDENTIAL, an API key or a JWT, lets the check request a token of a closed service.

Examples:
  npm run deploy
  npm run deploy -- --env production
  npm run deploy -- --env production --dry-run`,
  )
  .allowUnknownOption()
  .allowExcessArguments()
  .parse();

exitOnSignals();
const { env, dryRun = false, allowOpen = false, url } = command.opts<Options>();
process.exitCode = await deploy(
  {
    root: process.cwd(),
    env,
    dryRun,
    allowOpen,
    url,
    credential: process.env["CREDENTIAL"] || undefined,
    wranglerArguments: command.args,
  },
  { runWrangler, say: console.log, width: process.stdout.columns ?? 120, pauseMs: CHECK_INTERVAL_MS },
).catch(explain);

function explain(error: unknown): number {
  printError(error);
  return 1;
}
