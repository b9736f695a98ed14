import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { parseAllowedOrigins } from "../../src/core/auth/origins.ts";
import { parseSecureUrl } from "../../src/core/secure-url.ts";
import { describeKey } from "../doctor/key-check.ts";
import { REGION_ENDPOINTS, REGIONS, type Region, type RegionEndpoint, regionOf } from "../lib/coze-regions.ts";
import { Failure } from "../lib/failure.ts";
import { KID_LENGTH } from "../lib/kid-length.ts";
import { type Project, stringIn } from "../lib/project.ts";
import type { ExchangeSettings } from "../lib/try-exchange.ts";
import { varsFileFor } from "../lib/vars-file.ts";
import { type Access, type AccessFlags, askAccess } from "./access.ts";
import { askKeyFile, askKid } from "./key-questions.ts";
import type { Ask } from "./questions.ts";

/** What can be given as flags. */
export type Flags = AccessFlags & {
  readonly region?: string;
  readonly tokenEndpoint?: string;
  readonly clientId?: string;
  readonly kid?: string;
  readonly keyFile?: string;
  readonly origins?: string;
  readonly domain?: string;
};

/** Everything that setup writes down. */
export type Answers = ExchangeSettings &
  Pick<Access, "caller" | "apiKey" | "tokenScope"> & {
    readonly origins: string | undefined;
    readonly domain: string | undefined;
  };

export type AnswerPorts = {
  readonly ask: Ask;
  readonly say: (text: string) => void;
  /** The key file to suggest. */
  readonly keyFile: string | undefined;
  /** Finds the region that knows the app, if the network can tell. */
  readonly findRegion: (app: App) => Promise<Region | undefined>;
};

export type App = Pick<ExchangeSettings, "clientId" | "kid" | "privateKey">;

/**
 * Asks for the app: id, key and fingerprint. What is set already is kept, unless a flag says otherwise. With `refused`,
 * the app that Coze has refused, everything is asked again.
 * @throws Failure that names the flag, when an answer is missing or wrong and there is nobody to ask.
 */
export async function askApp(flags: Flags, project: Project, ports: AnswerPorts, refused?: App): Promise<App> {
  const existing = (name: string) => (refused === undefined ? stringIn(project.local, name) : undefined);
  const given = refused === undefined ? flags : {};
  const clientId = await ports.ask({
    flag: "--client-id",
    text: "CLIENT_ID: the id of the OAuth app in the Coze console",
    given: given.clientId ?? existing("CLIENT_ID"),
    initial: refused?.clientId,
    issue: clientIdIssue,
  });
  const privateKey = await askPrivateKey(given, existing("PRIVATE_KEY"), project, ports);
  const { bits, fingerprint } = describeKey(privateKey);
  ports.say(`The key has ${bits} bits. SHA-256 of its public key (SPKI): ${fingerprint}`);
  const kid = await askKid(ports.ask, {
    flag: "--kid",
    text: "KID: the fingerprint beside the key in the Coze console",
    given: given.kid ?? existing("KID"),
    initial: refused?.kid,
  });
  if (kid.length !== KID_LENGTH) {
    ports.say(`Coze's fingerprints have ${KID_LENGTH} characters; this KID has ${kid.length}.`);
  }
  return { clientId, privateKey, kid };
}

function clientIdIssue(answer: string): string | undefined {
  if (!/^[\w.-]+$/.test(answer)) return "must be letters, digits, ., _ and -: copy it from the Coze console";
  return answer.length === KID_LENGTH ? "is as long as a fingerprint, which is KID: CLIENT_ID is the id" : undefined;
}

async function askPrivateKey(
  flags: Flags,
  existing: string | undefined,
  { env }: Project,
  { ask, say, keyFile }: AnswerPorts,
): Promise<string> {
  if (flags.keyFile === undefined && existing !== undefined) {
    const imported = await importPrivateKey(existing);
    if ("value" in imported) {
      say(`PRIVATE_KEY is kept as it is in ${varsFileFor(env)}.`);
      return existing;
    }
    say(`The PRIVATE_KEY in ${varsFileFor(env)} ${imported.issues[0]?.message}.`);
  }
  return askKeyFile(
    ask,
    {
      flag: "--key-file",
      text: "The private key that Coze offered for download, as a file",
      given: flags.keyFile,
      initial: keyFile,
    },
    (path) => say(`PRIVATE_KEY is the key in ${path}.`),
  );
}

/** Finds where the app gets its tokens: by a flag, as it is set already, by asking both regions, or by asking the person. */
export async function askEndpoint(
  flags: Flags,
  app: App,
  { local }: Project,
  ports: AnswerPorts,
): Promise<RegionEndpoint> {
  const existing =
    flags.region === undefined ? (flags.tokenEndpoint ?? stringIn(local, "TOKEN_ENDPOINT")) : flags.tokenEndpoint;
  if (existing !== undefined) {
    const url = parseSecureUrl(existing, REGION_ENDPOINTS.cn.tokenEndpoint);
    if ("issues" in url) throw new Failure(`--token-endpoint ${url.issues[0]?.message}.`);
    const region = regionOf(url.value.href);
    const audience = stringIn(local, "AUDIENCE") ?? REGION_ENDPOINTS[region ?? "cn"].audience;
    return { tokenEndpoint: url.value.href, audience };
  }

  const found = flags.region === undefined ? await ports.findRegion(app) : undefined;
  if (found !== undefined) ports.say(`coze.${found} knows this app.`);
  const region = await ports.ask({
    flag: "--region",
    text: "Where is the app from?",
    given: flags.region ?? found,
    choices: REGIONS.map((value) => ({ value, label: `coze.${value}` })),
  });
  return REGION_ENDPOINTS[region as Region]; // one of the choices
}

/** Asks for the rest: who may call, and from which pages and at which address. */
export async function askRest(flags: Flags, project: Project, { ask }: AnswerPorts) {
  const { deployed, local } = project;
  const hasCallers = "CALLERS" in deployed || "CALLERS" in local;
  const hasService = "CLIENT_ID" in deployed;
  if (hasCallers && flags.access === "open") {
    throw new Failure("--access open: there are CALLERS, which are kept. Remove them yourself to open the service.");
  }
  const isKept = hasCallers && flags.access === undefined;
  const access: Access = isKept
    ? { caller: undefined, apiKey: undefined, tokenScope: undefined }
    : await askAccess(ask, flags, { initial: hasService ? "open" : undefined, names: callerNames(deployed) });

  const origins = await ask({
    flag: "--origins",
    text: "Origins of your pages, with commas, such as https://app.example.com (empty: all)",
    given: flags.origins ?? stringIn(deployed, "ALLOWED_ORIGINS"),
    isOptional: true,
    issue: (answer) => issueIn(parseAllowedOrigins(answer)),
  });
  const domain = await ask({
    flag: "--domain",
    text: "A custom domain of a zone in your Cloudflare account (empty: only workers.dev)",
    given: flags.domain ?? (project.takesDomain ? undefined : project.domain),
    isOptional: true,
    issue: (answer) =>
      /^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(answer) ? undefined : "must be a host name such as token.example.com",
  });
  return {
    ...access,
    origins: origins || undefined,
    domain: domain || undefined,
  };
}

function callerNames({ CALLERS }: Project["deployed"]): readonly unknown[] {
  return Array.isArray(CALLERS) ? CALLERS.map((caller) => caller?.name) : [];
}

function issueIn(parsed: ReturnType<typeof parseAllowedOrigins>): string | undefined {
  return "issues" in parsed ? parsed.issues[0]?.message : undefined;
}
