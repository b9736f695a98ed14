import { REGION_ENDPOINTS, REGIONS, type RegionEndpoint, regionOf } from "../lib/coze-regions.ts";
import { Failure } from "../lib/failure.ts";
import { printableLine } from "../lib/printable.ts";
import { type Project, stringIn } from "../lib/project.ts";
import type { Prompter } from "../lib/prompter.ts";
import { checkGiven, createAsk, refuseMissing } from "../lib/questions.ts";
import { describeRefusal, type Exchanged, type ExchangeSettings, isUnreachable } from "../lib/try-exchange.ts";
import { writeFiles } from "../lib/write-files.ts";
import { type AnswerOptions, type AnswerPorts, type Answers, type App, askAccessAndHosts, askApp } from "./answers.ts";
import { type AppCredentials, askEndpoint, type RegionResult } from "./endpoint.ts";
import { type Plan, planFiles } from "./plan.ts";
import { RECIPES, type RecipeName } from "./recipes.ts";

/** What the command line says about a setup. */
export type SetupOptions = AnswerOptions & {
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** Whether to try a real exchange before anything is written. */
  readonly exchange: boolean;
};

/** What setup needs of the outside: a person, and Coze. */
type SetupPorts = {
  /** `undefined` without a terminal. */
  readonly prompter: Prompter | undefined;
  readonly say: (text: string) => void;
  readonly tryExchange: (settings: ExchangeSettings) => Promise<Exchanged>;
  readonly keyFile: string | undefined;
};

/** What setup has done, or would do. */
export type SetupResult = {
  readonly plan: Plan;
  readonly answers: Answers;
  /** Of the exchange: what came of it, in a sentence. */
  readonly exchange: string;
  readonly isWritten: boolean;
};

/**
 * Asks for what is missing, tries the key at Coze, shows what it would write, and writes it at the end, all or nothing.
 * @throws Failure when an answer is missing or wrong and nobody can be asked, or Coze refuses the key.
 * @throws Interrupted on Ctrl-C; nothing is written then.
 */
export async function setUp(project: Project, options: SetupOptions, ports: SetupPorts): Promise<SetupResult> {
  if (project.stored.includes("PRIVATE_KEY")) {
    throw new Failure(
      "PRIVATE_KEY is in the Secrets Store, where setup cannot read it. Set up by hand: README.md, Deploy.",
    );
  }
  refuseUnused(options);
  await checkOptions(options, project);
  if (ports.prompter === undefined) requireOptions(options, project, ports.keyFile);
  const canExchange = options.exchange && !options.dryRun;
  const answerPorts: AnswerPorts = {
    ask: createAsk(ports.prompter, options.yes),
    say: ports.say,
    keyFile: ports.keyFile,
    askRegions: canExchange ? (app) => askRegions(app, ports) : undefined,
  };

  const tried = await askUntilAccepted(project, options, ports, answerPorts);
  const answers: Answers = {
    ...tried.app,
    ...tried.endpoint,
    ...(await askAccessAndHosts(options, project, answerPorts)),
  };
  const plan = await planFiles(project, answers);
  const result = { plan, answers, exchange: tried.exchange };

  ports.say(describePlan(plan, options.dryRun));
  if (options.dryRun || !(await isConfirmed(plan, options, ports))) return { ...result, isWritten: false };
  writeFiles(project.root, plan.files);
  return { ...result, isWritten: true };
}

/** A wrong option shows before the first question. What --issuer has to look like depends on --recipe. */
async function checkOptions(options: SetupOptions, project: Project): Promise<void> {
  const { issuer: _issuer, audience: _audience, ...others } = options;
  const checked = options.recipe === undefined ? others : options;
  await askAccessAndHosts(checked, project, { ask: checkGiven, say: () => undefined });
}

/** An option that has no effect is a mistake. */
function refuseUnused({ access, caller, recipe, issuer, audience }: SetupOptions): void {
  if (access === undefined || access === "issuer") return;
  const unused = Object.entries({ recipe, issuer, audience, ...(access === "open" && { caller }) })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `--${name}`);
  if (unused.length > 0) throw new Failure(`--access ${access} takes no ${unused.join(" and no ")}.`);
}

/** Everything that will be missing, at once. */
function requireOptions(options: SetupOptions, { local, deployed }: Project, keyFile: string | undefined): void {
  const isSet = (name: string) => stringIn(local, name) !== undefined;
  const missing = [
    ...(options.clientId === undefined && !isSet("CLIENT_ID") ? ["--client-id"] : []),
    ...(options.keyFile === undefined && !isSet("PRIVATE_KEY") && keyFile === undefined ? ["--key-file"] : []),
    ...(options.kid === undefined && !isSet("KID") ? ["--kid"] : []),
    ...(options.access === undefined && !("CALLERS" in local || "CLIENT_ID" in deployed) ? ["--access"] : []),
    ...(options.access === "issuer" ? missingIssuerOptions(options) : []),
    ...(options.yes || options.dryRun ? [] : ["--yes"]),
  ];
  refuseMissing(missing);
}

function missingIssuerOptions({ recipe, issuer, audience }: SetupOptions): readonly string[] {
  const needsAudience = recipe !== undefined && RECIPES[recipe as RecipeName].audience !== undefined; // one of the choices
  return [
    ...(recipe === undefined ? ["--recipe"] : []),
    ...(issuer === undefined ? ["--issuer"] : []),
    ...(audience === undefined && needsAudience ? ["--audience"] : []),
  ];
}

type Tried = { readonly app: App; readonly endpoint: RegionEndpoint; readonly exchange: string };

/** A person can correct what Coze refuses, as often as it takes. */
async function askUntilAccepted(
  project: Project,
  options: SetupOptions,
  ports: SetupPorts,
  answerPorts: AnswerPorts,
): Promise<Tried> {
  let [app, endpoint] = await askAppAndEndpoint(options, project, answerPorts);
  if (answerPorts.askRegions === undefined) return { app, endpoint, exchange: "not tried" };
  for (;;) {
    const { host } = new URL(endpoint.tokenEndpoint);
    ports.say(`Trying the key at ${host} ...`);
    const exchanged = await ports.tryExchange({ ...app, ...endpoint });
    const exchange =
      "accessToken" in exchanged ? `${host} has issued a token for this key.` : describeRefusal(exchanged.refusal);
    ports.say(exchange);
    if ("accessToken" in exchanged) return { app, endpoint, exchange };
    if (isUnreachable(exchanged.refusal)) {
      ports.say("So the key could not be tried. It will be written all the same.");
      return { app, endpoint, exchange };
    }
    if (ports.prompter === undefined) {
      throw new Failure(`${exchange}\nNothing was written. --no-exchange writes it all the same.`);
    }
    if (!(await ports.prompter.confirm("Correct the id, the key, the fingerprint or the endpoint?", true))) {
      ports.say("It will be written although Coze refuses it.");
      return { app, endpoint, exchange };
    }
    const askAgain = { ...answerPorts, ask: createAsk(ports.prompter, false) };
    const { isKeyRefusal } = exchanged.refusal;
    [app, endpoint] = await askAppAndEndpoint(options, project, askAgain, { app, endpoint, isKeyRefusal });
  }
}

async function askAppAndEndpoint(
  options: SetupOptions,
  project: Project,
  ports: AnswerPorts,
  refused?: { readonly app: App; readonly endpoint: RegionEndpoint; readonly isKeyRefusal: boolean },
): Promise<[App, RegionEndpoint]> {
  const app = await askApp(options, project, ports, refused?.app);
  // An endpoint of somebody else that can tell that a key is wrong is the right one.
  if (refused?.isKeyRefusal && regionOf(refused.endpoint.tokenEndpoint) === undefined) return [app, refused.endpoint];
  return [app, await askEndpoint(options, app, project, ports, refused?.endpoint)];
}

async function askRegions(app: AppCredentials, { say, tryExchange }: SetupPorts): Promise<readonly RegionResult[]> {
  say(`Trying the key at ${REGIONS.map((region) => `coze.${region}`).join(" and ")} ...`);
  return Promise.all(
    REGIONS.map(async (region) => {
      const exchanged = await tryExchange({ ...app, ...REGION_ENDPOINTS[region] });
      const hasIssued = "accessToken" in exchanged;
      const said = hasIssued ? "it issues a token." : (exchanged.refusal.coze ?? exchanged.refusal.description);
      return { region, hasIssued, sentence: `coze.${region}: ${printableLine(said)}` };
    }),
  );
}

async function isConfirmed({ files }: Plan, { yes }: SetupOptions, { prompter }: SetupPorts): Promise<boolean> {
  if (files.length === 0) return false;
  return yes || (prompter !== undefined && (await prompter.confirm("Write this?", true)));
}

function describePlan({ changes, files }: Plan, isDryRun: boolean): string {
  const lines = changes.map(({ file, name, action, value }) => {
    const line = `  ${action.padEnd(8)}${file}: ${name}`;
    return value === undefined ? line : `${line} = ${value}`;
  });
  const writes = files.map(({ name, mode }) => `${name} (mode ${mode.toString(8)})`).join(", ");
  const title = isDryRun ? "This would be written" : "To be written";
  return [`${title}: ${writes || "nothing, all is there already"}`, ...lines].join("\n");
}
