import { REGION_ENDPOINTS, REGIONS, type Region, type RegionEndpoint } from "../lib/coze-regions.ts";
import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import { describeRefusal, type Exchanged, type ExchangeSettings, isUnreachable } from "../lib/try-exchange.ts";
import { type AnswerPorts, type Answers, type App, askApp, askEndpoint, askRest, type Flags } from "./answers.ts";
import { type Plan, planFiles } from "./plan.ts";
import type { Prompter } from "./prompter.ts";
import { createAsk, refuseMissing } from "./questions.ts";
import { writeFiles } from "./write-files.ts";

export type SetupOptions = Flags & {
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** Whether to try a real exchange before anything is written. */
  readonly exchange: boolean;
};

export type SetupPorts = {
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
  const ask = createAsk(ports.prompter, options.yes);
  if (ports.prompter === undefined) requireFlags(options, project, ports.keyFile);
  const canExchange = options.exchange && !options.dryRun;
  const answerPorts: AnswerPorts = {
    ask,
    say: ports.say,
    keyFile: ports.keyFile,
    findRegion: async (app) => (canExchange ? findRegion(app, ports.tryExchange) : undefined),
  };

  const tried = await askUntilAccepted(project, options, ports, answerPorts, canExchange);
  const answers: Answers = { ...tried.app, ...tried.endpoint, ...(await askRest(options, project, answerPorts)) };
  const plan = await planFiles(project, answers);
  const result = { plan, answers, exchange: tried.exchange };

  ports.say(describePlan(plan, options.dryRun));
  if (options.dryRun || !(await isConfirmed(plan, options, ports))) return { ...result, isWritten: false };
  writeFiles(project.root, plan.files);
  return { ...result, isWritten: true };
}

/** Everything that will be missing, at once. */
function requireFlags(options: SetupOptions, { local, deployed }: Project, keyFile: string | undefined): void {
  const isSet = (name: string) => local[name] !== undefined && local[name] !== "";
  const missing = [
    ...(options.clientId === undefined && !isSet("CLIENT_ID") ? ["--client-id"] : []),
    ...(options.keyFile === undefined && !isSet("PRIVATE_KEY") && keyFile === undefined ? ["--key-file"] : []),
    ...(options.kid === undefined && !isSet("KID") ? ["--kid"] : []),
    ...(options.access === undefined && !("CALLERS" in local || "CLIENT_ID" in deployed) ? ["--access"] : []),
    ...(options.yes || options.dryRun ? [] : ["--yes"]),
  ];
  refuseMissing(missing);
}

type Tried = { readonly app: App; readonly endpoint: RegionEndpoint; readonly exchange: string };

/** A person can correct what Coze refuses, as often as it takes. */
async function askUntilAccepted(
  project: Project,
  options: SetupOptions,
  ports: SetupPorts,
  answerPorts: AnswerPorts,
  canExchange: boolean,
): Promise<Tried> {
  for (let refused: App | undefined; ; ) {
    const app = await askApp(options, project, answerPorts, refused);
    const endpoint = await askEndpoint(options, app, project, answerPorts);
    if (!canExchange) return { app, endpoint, exchange: "not tried" };

    const exchanged = await ports.tryExchange({ ...app, ...endpoint });
    if ("accessToken" in exchanged) {
      const exchange = `${new URL(endpoint.tokenEndpoint).host} has issued a token for this key.`;
      ports.say(exchange);
      return { app, endpoint, exchange };
    }
    const exchange = describeRefusal(exchanged.refusal);
    if (isUnreachable(exchanged.refusal)) {
      ports.say(`The key could not be tried. ${exchange}`);
      return { app, endpoint, exchange };
    }
    if (ports.prompter === undefined)
      throw new Failure(`${exchange}\nNothing was written. --no-exchange writes it anyway.`);
    ports.say(exchange);
    if (!(await ports.prompter.confirm("Correct the id, the key and the fingerprint?", true))) {
      return { app, endpoint, exchange };
    }
    refused = app;
  }
}

/** The only region that issues a token for the app. */
async function findRegion(app: App, tryExchange: SetupPorts["tryExchange"]): Promise<Region | undefined> {
  const exchanged = await Promise.all(REGIONS.map((region) => tryExchange({ ...app, ...REGION_ENDPOINTS[region] })));
  const knowing = REGIONS.filter((_, index) => "accessToken" in (exchanged[index] ?? {}));
  return knowing.length === 1 ? knowing[0] : undefined;
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
