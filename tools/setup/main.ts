import { homedir } from "node:os";
import { CHECK_INTERVAL_MS } from "../deploy/deploy.ts";
import { runWrangler } from "../deploy/run-wrangler.ts";
import { setupCommand } from "../lib/commands.ts";
import { printError } from "../lib/failure.ts";
import { findKeyFile } from "../lib/key-file.ts";
import { readProject, withOwnVars } from "../lib/project.ts";
import { Interrupted, terminal } from "../lib/prompter.ts";
import { exitOnSignals, INTERRUPTED_EXIT_CODE } from "../lib/stop-request.ts";
import { tryExchange } from "../lib/try-exchange.ts";
import { readCommandLine } from "./command-line.ts";
import { deployWithSecrets } from "./deploy-with-secrets.ts";
import { type SetupResult, setUp } from "./setup.ts";

const commandLine = readCommandLine(process.argv.slice(2));
const { options, json, deploy, hasAnswers } = commandLine;
const isInteractive = process.stdin.isTTY === true && process.stdout.isTTY === true && !json;
let written: SetupResult | undefined;
exitOnSignals(sayInterrupted);
process.exitCode = await run().catch(explain);

async function run(): Promise<number> {
  const root = process.cwd();
  const env = commandLine.env ?? (await askEnvironment(root));
  const project = withOwnVars(readProject(root, env));
  const result = await setUp(project, options, {
    prompter: isInteractive ? terminal : undefined,
    // With --json, the JSON is all of the output.
    say: isInteractive ? terminal.say : json ? () => undefined : console.log,
    tryExchange,
    keyFile: findKeyFile(root, homedir()),
  });
  if (result.isWritten) written = result;
  console.log(json ? resultJson(result) : summary(result, env));
  const isComplete = result.isWritten || result.plan.files.length === 0;
  if (options.dryRun || !isComplete) return 0;
  const wantsDeployment = deploy || (isInteractive && !options.yes && (await offerDeployment()));
  if (!wantsDeployment) return 0;

  // With --json, the JSON is all of the output.
  const ports = json ? { runWrangler: runQuietly, say: console.error } : { runWrangler, say: console.log };
  const width = process.stdout.columns ?? 120;
  return deployWithSecrets(root, env, result.answers.apiKey, { ...ports, width, pauseMs: CHECK_INTERVAL_MS });
}

/** The top level, unless the person chooses another one. With answers on the command line, --env is expected there too. */
async function askEnvironment(root: string): Promise<string | undefined> {
  if (!isInteractive || options.yes || hasAnswers) return undefined;
  const { environments, workerName } = readProject(root);
  if (environments.length === 0) return undefined;
  const choices = [
    { value: "", label: `${workerName}: the only one that most people need` },
    ...environments.map((name) => ({ value: name, label: `${workerName}-${name}: the environment ${name}` })),
  ];
  return (await terminal.select("Which Worker is this for?", choices, "")) || undefined;
}

/** wrangler opens a browser to log in if nobody is logged in. */
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
      ...(options.dryRun && { would_deploy: deploy }),
      ...(isWritten && answers.apiKey !== undefined && { api_key: answers.apiKey }),
    },
    null,
    2,
  );
}

function summary({ plan, answers: { apiKey, caller } }: SetupResult, env: string | undefined): string {
  if (options.dryRun) return dryRunSummary(env);
  if (written === undefined) return plan.files.length > 0 ? "Nothing was written." : "";
  const key =
    apiKey === undefined
      ? []
      : [`The API key of ${caller?.["name"]}, shown only once and stored nowhere:\n\n  ${apiKey}\n`];
  return [
    "Written.",
    ...key,
    ...(env === undefined ? ["Try it here: npm start"] : []),
    ...(deploy ? [] : [`Deploy it: ${setupCommand(env, "--deploy --yes")}`]),
  ].join("\n");
}

function dryRunSummary(env: string | undefined): string {
  const secrets = `wrangler deploy --env="${env ?? ""}" --secrets-file, with PRIVATE_KEY and the other secrets of the vars file`;
  return [
    ...(options.exchange ? ["The key would be tried at Coze, before anything is written."] : []),
    ...(deploy ? [`Then it would be deployed: ${secrets}; and the deployed service would be checked.`] : []),
  ].join("\n");
}

function explain(error: unknown): number {
  if (error instanceof Interrupted) {
    sayInterrupted();
    return INTERRUPTED_EXIT_CODE;
  }
  printError(error);
  return 1;
}

function sayInterrupted(): void {
  if (written === undefined) {
    console.error("Interrupted: nothing was written.");
    return;
  }
  const key = written.answers.apiKey === undefined ? "" : " Keep the API key that is shown above.";
  console.error(`\nInterrupted. The files are written.${key}`);
}
