import { parseAllowedOrigins } from "../../src/core/auth/origins.ts";
import { Failure } from "../lib/failure.ts";
import { askKeyFile, askKid } from "../lib/key-questions.ts";
import { KID_LENGTH } from "../lib/kid-length.ts";
import { type Project, stringIn } from "../lib/project.ts";
import type { ExchangeSettings } from "../lib/try-exchange.ts";
import { describeKey, importUsableKey } from "../lib/usable-key.ts";
import { varsFileFor } from "../lib/vars-file.ts";
import { type Access, type AccessOptions, askAccess } from "./access.ts";
import type { AppCredentials, EndpointOptions, EndpointPorts } from "./endpoint.ts";

/** What can be given as options. */
export type AnswerOptions = AccessOptions &
  EndpointOptions & {
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

/** Where answers come from when no option gives them. */
export type AnswerPorts = EndpointPorts & {
  /** The key file to suggest. */
  readonly keyFile: string | undefined;
};

/** The OAuth app that setup was told about. */
export type App = AppCredentials & {
  /** Where the key was read; `undefined` for the one that is set already. */
  readonly keyPath: string | undefined;
};

/**
 * Asks for the app: id, key and fingerprint. What is set already is kept, unless an option says otherwise. With
 * `refused`, the app that Coze has refused, everything is asked again.
 * @throws Failure that names the option, when an answer is missing or wrong and there is nobody to ask.
 */
export async function askApp(
  options: AnswerOptions,
  project: Project,
  ports: AnswerPorts,
  refused?: App,
): Promise<App> {
  const existing = (name: string) => (refused === undefined ? stringIn(project.local, name) : undefined);
  const given = refused === undefined ? options : {};
  const clientId = await ports.ask({
    option: "--client-id",
    text: "CLIENT_ID: the id of the OAuth app in the Coze console",
    given: given.clientId ?? existing("CLIENT_ID"),
    initial: refused?.clientId,
    issue: clientIdIssue,
  });
  const { privateKey, keyPath } = await askPrivateKey(given, existing("PRIVATE_KEY"), project, ports, refused);
  const { bits, publicKeyDigest } = describeKey(privateKey);
  ports.say(`The key has ${bits} bits. SHA-256 of its public key (SPKI): ${publicKeyDigest}`);
  const kid = await askKid(ports.ask, {
    option: "--kid",
    text: "KID: the fingerprint beside the key in the Coze console",
    given: given.kid ?? existing("KID"),
    initial: refused?.kid,
  });
  ports.say(`KID, which has to be the fingerprint of this key at Coze: ${kid}`);
  if (kid.length !== KID_LENGTH) {
    ports.say(`Coze's fingerprints have ${KID_LENGTH} characters; this one has ${kid.length}.`);
  }
  return { clientId, privateKey, keyPath, kid };
}

function clientIdIssue(answer: string): string | undefined {
  if (!/^[\w.-]+$/.test(answer)) return 'must be letters, digits, ".", "_" or "-": copy it from the Coze console';
  return answer.length === KID_LENGTH ? "is as long as a fingerprint, which is KID: CLIENT_ID is the id" : undefined;
}

async function askPrivateKey(
  options: AnswerOptions,
  existing: string | undefined,
  { env }: Project,
  { ask, say, keyFile }: AnswerPorts,
  refused: App | undefined,
): Promise<Pick<App, "privateKey" | "keyPath">> {
  if (options.keyFile === undefined && existing !== undefined) {
    const imported = await importUsableKey(existing);
    if ("value" in imported) {
      say(`PRIVATE_KEY is kept as it is in ${varsFileFor(env)}.`);
      return { privateKey: existing, keyPath: undefined };
    }
    say(`The PRIVATE_KEY in ${varsFileFor(env)} ${imported.issues[0]?.message}.`);
  }
  const canKeep = refused !== undefined && refused.keyPath === undefined;
  const { key, path } = await askKeyFile(ask, {
    option: "--key-file",
    text: `The private key that Coze offered for download, as a file${canKeep ? " (empty: the key that is set)" : ""}`,
    given: options.keyFile,
    initial: canKeep ? undefined : (refused?.keyPath ?? keyFile),
    isOptional: canKeep,
  });
  if (canKeep && path === "") return { privateKey: refused.privateKey, keyPath: undefined };
  say(`PRIVATE_KEY is the key in ${path}.`);
  return { privateKey: key, keyPath: path };
}

/** Asks for the rest: who may call, and from which pages and at which address. */
export async function askAccessAndHosts(
  options: AnswerOptions,
  project: Project,
  { ask, say }: Pick<AnswerPorts, "ask" | "say">,
) {
  const { deployed, local } = project;
  const isRestricted = "CALLERS" in deployed || "CALLERS" in local;
  const hasService = "CLIENT_ID" in deployed;
  if (isRestricted && options.access === "open") {
    throw new Failure("--access open: there are CALLERS, which are kept. Remove them yourself to open the service.");
  }
  const isKept = isRestricted && options.access === undefined;
  const access: Access = isKept
    ? { caller: undefined, apiKey: undefined, tokenScope: undefined }
    : await askAccess(ask, say, options, { initial: hasService ? "open" : undefined, names: callerNames(deployed) });

  const origins = await ask({
    option: "--origins",
    text: "Origins of your pages, separated by commas, such as https://app.example.com (empty: all)",
    given: options.origins ?? stringIn(deployed, "ALLOWED_ORIGINS"),
    isOptional: true,
    issue: (answer) => issueIn(parseAllowedOrigins(answer)),
  });
  const isInherited = project.domain !== undefined && project.takenRoutes.includes(project.domain);
  const domain = await ask({
    option: "--domain",
    text: "A custom domain of a zone in your Cloudflare account (empty: only workers.dev)",
    given: options.domain ?? (isInherited ? undefined : project.domain),
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
