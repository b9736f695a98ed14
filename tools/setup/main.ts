import { homedir } from "node:os";
import { runWrangler } from "../deploy/run-wrangler.ts";
import { printError } from "../lib/failure.ts";
import { readProject, withOwnVars } from "../lib/project.ts";
import { setupCommand } from "../lib/setup-command.ts";
import { INTERRUPTED_EXIT_CODE } from "../lib/stop-request.ts";
import { tryExchange } from "../lib/try-exchange.ts";
import { readCommandLine } from "./command-line.ts";
import { deployWithSecrets } from "./deploy-with-secrets.ts";
import { findKeyFile } from "./key-file.ts";
import { Interrupted, terminal } from "./prompter.ts";
import { type SetupResult, setUp } from "./setup.ts";

/** Between two looks at a new deployment. */
const PAUSE_MS = 5000;

const { options, env, json, deploy } = readCommandLine(process.argv.slice(2));
process.exitCode = await run().catch(explain);

async function run(): Promise<number> {
  const root = process.cwd();
  const isInteractive = process.stdin.isTTY === true && process.stdout.isTTY === true && !json;
  const project = withOwnVars(readProject(root, env));
  const result = await setUp(project, options, {
    prompter: isInteractive ? terminal : undefined,
    // With --json, the JSON is all of the output.
    say: isInteractive ? terminal.say : json ? () => undefined : console.log,
    tryExchange,
    keyFile: findKeyFile(root, homedir()),
  });
  console.log(json ? resultJson(result) : lastWords(result));
  const isComplete = result.isWritten || result.plan.files.length === 0;
  if (options.dryRun || !isComplete) return 0;
  const wantsDeployment = deploy || (isInteractive && !options.yes && (await offerDeployment()));
  if (!wantsDeployment) return 0;

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
  if (!isWritten) return plan.files.length > 0 && !options.dryRun ? "Nothing was written." : "";
  const key =
    apiKey === undefined
      ? []
      : [`The API key of ${caller?.["name"]}, shown only once and stored nowhere:\n\n  ${apiKey}\n`];
  return [
    "Written.",
    ...key,
    ...(env === undefined ? ["Try it here: npm start"] : []),
    `Deploy it: ${setupCommand(env, "--deploy --yes")}`,
  ].join("\n");
}

function explain(error: unknown): number {
  if (error instanceof Interrupted) {
    console.error("Interrupted: nothing was written.");
    return INTERRUPTED_EXIT_CODE;
  }
  printError(error);
  return 1;
}
