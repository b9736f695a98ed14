import { Command, Option } from "commander";
import { createEnvOption } from "../lib/env-option.ts";
import { printError } from "../lib/failure.ts";
import { type Finding, failed, findingsJson, findingsTable, hasFailed } from "../lib/finding.ts";
import { readProject } from "../lib/project.ts";
import { parseOriginOption, parseUrlOption } from "../lib/url-option.ts";
import { checkDeployment } from "./deployment.ts";
import { expectationsFor } from "./expectations.ts";
import { checkLive } from "./live.ts";
import { checkLocal } from "./local.ts";

type Options = {
  readonly live?: boolean;
  readonly botId?: string;
  readonly url?: URL;
  readonly origin?: string;
  readonly env?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
};

/** A person who waits longer wonders why. */
const PATIENCE_MS = 2000;
/** 1 means that something needs fixing. */
const NOT_CHECKED_EXIT_CODE = 2;

const command = new Command("npm run doctor --")
  .description(
    "Checks that this service is set up right: one table of what was found, and what to do about each failure.",
  )
  .option("--live", "ask Coze and the issuers too: with a real exchange of the key")
  .addOption(new Option("--bot-id <id>", "the same, with a bot that the token has to reach").implies({ live: true }))
  .option("--url <url>", "check a deployed service instead, from outside", parseUrlOption)
  .option(
    "--origin <origin>",
    "with --url: an origin whose pages may call (default: the first of ALLOWED_ORIGINS)",
    parseOriginOption,
  )
  .addOption(createEnvOption("the environment of wrangler.toml to check, instead of its top level"))
  .option("--json", "print a list of { name, ok, detail, hint } instead of the table")
  .option("--verbose", "say more about what was found")
  .helpOption("--help", "show this")
  .addHelpText(
    "after",
    `
The variable CREDENTIAL, an API key or a JWT, lets --url request a token of a closed service.

Examples:
  npm run doctor
  npm run doctor -- --live --bot-id 7379462189365198898
  npm run doctor -- --url https://token.example.com

The exit code is 1 if something needs fixing, 2 if the check itself failed, else 0.`,
  )
  .showHelpAfterError("npm run doctor -- --help lists the options.")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : NOT_CHECKED_EXIT_CODE))
  .parse();

const options = command.opts<Options>();
if (options.origin !== undefined && options.url === undefined) command.error("error: --origin goes with --url");
process.exitCode = await examine(options).then(report, explain);

async function examine({ env, live = false, botId, url, origin }: Options): Promise<readonly Finding[]> {
  const onThisMachine = url === undefined || live ? await examineMachine(env, live, botId) : [];
  return url === undefined ? onThisMachine : [...onThisMachine, ...(await examineDeployment(url, env, origin))];
}

async function examineMachine(env: string | undefined, live: boolean, botId: string | undefined) {
  const { findings, config } = await checkLocal(process.cwd(), env, "local");
  if (!live) return findings;
  const isKeyOrRegion = ({ name }: Finding) => name === "PRIVATE_KEY" || name === "region";
  if (config === undefined || hasFailed(findings.filter(isKeyOrRegion))) {
    return [...findings, failed("exchange", "not tried: the settings are wrong", "Fix the settings above first.")];
  }
  const { host } = new URL(config.tokenEndpoint);
  const hasKey = "PRIVATE_KEY" in readProject(process.cwd(), env).local;
  return [...findings, ...(await announceWait(host, checkLive(config, { botId, hasKey })))];
}

async function examineDeployment(url: URL, env: string | undefined, origin: string | undefined) {
  const expected = expectationsFor(readProject(process.cwd(), env));
  const credential = process.env["CREDENTIAL"] || undefined;
  const ownOrigin = origin === undefined ? {} : { origin };
  return announceWait(url.host, checkDeployment(url, { ...expected, ...ownOrigin, credential, env }));
}

/** Says whom a person waits for, if it takes long. */
async function announceWait<Result>(host: string, work: Promise<Result>): Promise<Result> {
  if (options.json) return work;
  const timer = setTimeout(() => console.error(`Asking ${host} ...`), PATIENCE_MS);
  return work.finally(() => clearTimeout(timer));
}

function report(findings: readonly Finding[]): number {
  const { json = false, verbose = false } = options;
  console.log(
    json ? findingsJson(findings) : findingsTable(findings, { width: process.stdout.columns ?? 120, verbose }),
  );
  return hasFailed(findings) ? 1 : 0;
}

function explain(error: unknown): number {
  printError(error);
  return NOT_CHECKED_EXIT_CODE;
}
