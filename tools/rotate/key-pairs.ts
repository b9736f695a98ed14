import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { readKeyFile } from "../lib/key-file.ts";
import { askKeyFile, askKid } from "../lib/key-questions.ts";
import { type Project, stringIn } from "../lib/project.ts";
import type { Ask, Question } from "../lib/questions.ts";
import { describeKey } from "../lib/usable-key.ts";

/** A private key, in any form in which it can be pasted, and its fingerprint at Coze. */
export type Pair = { readonly kid: string; readonly privateKey: string };

/** From which pair to which. */
export type KeyRotation = {
  readonly oldKid: string;
  /** The pair in use; `undefined` without the old key: then there is no fallback at Coze. */
  readonly previous: Pair | undefined;
  readonly current: Pair;
};

/** What can be given as options. */
export type PairOptions = {
  readonly keyFile?: string;
  readonly kid?: string;
  readonly oldKeyFile?: string;
  readonly oldKid?: string;
  /** `false` is `--no-old-key`. */
  readonly oldKey: boolean;
};

type PairPorts = {
  readonly ask: Ask;
  readonly say: (text: string) => void;
  /** The key file to suggest. */
  readonly keyFile: string | undefined;
};

/** The options that are missing when there is no terminal to ask in. */
export function missingPairOptions(
  options: PairOptions,
  { deployed, local }: Project,
  { keyFile }: Pick<PairPorts, "keyFile">,
): readonly string[] {
  return [
    ...((options.keyFile ?? keyFile) === undefined ? ["--key-file"] : []),
    ...(options.kid === undefined ? ["--kid"] : []),
    ...(options.oldKid || deployed["KID"] || local["KID"] ? [] : ["--old-kid"]),
    ...(options.oldKeyFile || local["PRIVATE_KEY"] || !options.oldKey ? [] : ["--old-key-file (or --no-old-key)"]),
  ];
}

/**
 * Asks for the new pair, and for what the settings do not say about the old one.
 * @throws Failure that names the option, when an answer is missing or wrong and there is nobody to ask.
 */
export async function askPairs(options: PairOptions, project: Project, ports: PairPorts): Promise<KeyRotation> {
  const oldKid = await askKid(ports.ask, {
    option: "--old-kid",
    text: "The fingerprint of the key that is in use now",
    given: options.oldKid ?? stringIn(project.deployed, "KID") ?? stringIn(project.local, "KID"),
  });
  const oldKey = options.oldKey ? await askOldKey(options, project, ports) : undefined;
  const previous = oldKey === undefined ? undefined : { kid: oldKid, privateKey: oldKey };

  const { key: privateKey } = await askKeyFile(ports.ask, {
    option: "--key-file",
    text: "The new private key that Coze offered for download, as a file",
    given: options.keyFile,
    initial: options.keyFile === undefined ? await suggestedKeyFile(ports, oldKey) : undefined,
    issue: (key) => (isSameKey(key, oldKey) ? "is the key that is in use now" : undefined),
  });
  const { bits, publicKeyDigest } = describeKey(privateKey);
  ports.say(`The new key has ${bits} bits. SHA-256 of its public key (SPKI): ${publicKeyDigest}`);
  const text = "KID: the fingerprint beside the new key in the Coze console";
  const kid = await askNewKid(ports.ask, { text, given: options.kid }, oldKid);
  return { oldKid, previous, current: { kid, privateKey } };
}

/** Asks for the fingerprint of the new key, which cannot be that of the old one. */
export function askNewKid(ask: Ask, question: Omit<Question, "option" | "issue">, oldKid: string): Promise<string> {
  return askKid(ask, {
    ...question,
    option: "--kid",
    issue: (answer) => (answer === oldKid ? "is that of the key that is in use now" : undefined),
  });
}

/** Not the key in use, which is the newest that was downloaded until there is a second one. */
async function suggestedKeyFile({ keyFile, say }: PairPorts, oldKey: string | undefined): Promise<string | undefined> {
  const read = keyFile === undefined ? undefined : await readKeyFile(keyFile);
  if (read === undefined || !("value" in read) || !isSameKey(read.value, oldKey)) return keyFile;
  say(`${keyFile} is the key that is in use now. First create a second key in the Coze console, and download it.`);
  return undefined;
}

async function askOldKey({ oldKeyFile }: PairOptions, { local }: Project, { ask }: PairPorts): Promise<string> {
  const existing = stringIn(local, "PRIVATE_KEY");
  if (oldKeyFile === undefined && existing !== undefined && "value" in (await importPrivateKey(existing))) {
    return existing;
  }
  const { key } = await askKeyFile(ask, {
    option: "--old-key-file",
    text: "The private key that is in use now, as a file (if there is none: --no-old-key)",
    given: oldKeyFile,
  });
  return key;
}

function isSameKey(key: string, other: string | undefined): boolean {
  return other !== undefined && describeKey(key).publicKeyDigest === describeKey(other).publicKeyDigest;
}
