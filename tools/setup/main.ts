import { homedir } from "node:os";
import { Command, Option } from "commander";
import { runWrangler } from "../deploy/run-wrangler.ts";
import { readProject } from "../lib/project.ts";
import { INTERRUPTED_EXIT_CODE } from "../lib/stop-request.ts";
import { tryExchange } from "../lib/try-exchange.ts";
import { Failure } from "../start/failure.ts";
import { deployWithSecrets } from "./deploy-with-secrets.ts";
import { findKeyFile } from "./key-file.ts";
import { Interrupted, terminal } from "./prompter.ts";
import { RECIPE_NAMES } from "./recipes.ts";
import { type SetupOptions, type SetupResult, setUp } from "./setup.ts";

/** Between two looks at a new deployment. */
const PAUSE_MS = 5000;

type Options = Omit<SetupOptions, "yes" | "dryRun"> & {
  readonly env?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly deploy?: boolean;
};

const command = new Command("npm run setup --")
  .description(
    "Writes the settings of the service, from the private key that Coze offered for download: asks for what no flag gives, " +
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
  .option("--bot-ids <ids>", "bots that tokens are for, with commas")
  .option("--permissions <names>", "permissions of tokens, with commas")
  .option("--origins <origins>", "origins of pages that may call, with commas")
  .option("--domain <host>", "custom domain of the Worker")
  .option("--env <name>", "the environment of wrangler.toml to set up, instead of its top level")
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
  .parse();

const { env, json = false, yes = false, dryRun = false, deploy = false, ...flags } = command.opts<Options>();
process.exitCode = await run().catch(explain);

async function run(): Promise<number> {
  const root = process.cwd();
  const isInteractive = process.stdin.isTTY === true && process.stdout.isTTY === true && !json;
  const project = readProject(root, env);
  const result = await setUp(
    project,
    { ...flags, yes, dryRun },
    {
      prompter: isInteractive ? terminal : undefined,
      // With --json, the JSON is all of the output.
      say: isInteractive ? terminal.say : json ? () => undefined : console.log,
      tryExchange,
      keyFile: findKeyFile(root, homedir()),
    },
  );
  console.log(json ? resultJson(result) : lastWords(result));
  const isComplete = result.isWritten || result.plan.files.length === 0;
  if (dryRun || !isComplete || !(deploy || (isInteractive && !yes && (await offerDeployment())))) return 0;

  // With --json, the JSON is all of the output.
  const ports = json ? { runWrangler: runQuietly, say: console.error } : { runWrangler, say: console.log };
  const width = process.stdout.columns ?? 120;
  return deployWithSecrets(root, env, result.answers.apiKey, { ...ports, width, pauseMs: PAUSE_MS });
}

/** wrangler logs in by itself, in a browser, where nobody is logged in. */
function offerDeployment(): Promise<boolean> {
  return terminal.confirm("Deploy it now, with the private key as a secret?", false);
}

function runQuietly(args: readonly string[]) {
  return runWrangler(args, true);
}

function resultJson({ plan, answers, exchange, isWritten }: SetupResult): string {
  const { changes, files } = plan;
  return JSON.stringify(
    {
      written: isWritten ? files.map(({ name }) => name) : [],
      changes,
      exchange,
      ...(isWritten && answers.apiKey !== undefined && { api_key: answers.apiKey }),
    },
    null,
    2,
  );
}

function lastWords({ plan, answers: { apiKey, caller }, isWritten }: SetupResult): string {
  if (!isWritten) return plan.files.length > 0 && !dryRun ? "Nothing was written." : "";
  const key =
    apiKey === undefined
      ? []
      : [`The API key of ${caller?.["name"]}, shown only once and stored nowhere:\n\n  ${apiKey}\n`];
  return [
    "Written.",
    ...key,
    "Try it here: npm start",
    `Deploy it: npm run setup -- --deploy --yes${env === undefined ? "" : ` --env ${env}`}`,
  ].join("\n");
}

function explain(error: unknown): number {
  if (error instanceof Interrupted) {
    console.error("Interrupted: nothing was written.");
    return INTERRUPTED_EXIT_CODE;
  }
  console.error(error instanceof Failure ? error.message : error);
  return 1;
}
