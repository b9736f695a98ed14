import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { describeKey } from "../doctor/key-check.ts";
import { type Project, stringIn } from "../lib/project.ts";
import { askKeyFile, askKid } from "../setup/key-questions.ts";
import type { Ask } from "../setup/questions.ts";

/** A private key, in any form in which it can be pasted, and its fingerprint at Coze. */
export type Pair = { readonly kid: string; readonly privateKey: string };

/** What changes into what. */
export type Change = {
  readonly oldKid: string;
  /** The pair in use; `undefined` if its key is not at hand, so that nothing can replace the new one. */
  readonly previous: Pair | undefined;
  readonly current: Pair;
};

/** What can be given as flags. */
export type PairFlags = {
  readonly keyFile?: string;
  readonly kid?: string;
  readonly oldKeyFile?: string;
  readonly oldKid?: string;
  /** `false` is `--no-old-key`. */
  readonly oldKey: boolean;
};

export type PairPorts = {
  readonly ask: Ask;
  readonly say: (text: string) => void;
  /** The key file to suggest. */
  readonly keyFile: string | undefined;
};

/** The flags of all answers that are missing, where there is nobody to ask. */
export function missingPairFlags(flags: PairFlags, { deployed, local }: Project): readonly string[] {
  return [
    ...(flags.keyFile === undefined ? ["--key-file"] : []),
    ...(flags.kid === undefined ? ["--kid"] : []),
    ...(flags.oldKid || deployed["KID"] || local["KID"] ? [] : ["--old-kid"]),
    ...(flags.oldKeyFile || local["PRIVATE_KEY"] || !flags.oldKey ? [] : ["--old-key-file (or --no-old-key)"]),
  ];
}

/**
 * Asks for the new pair, and for what the settings do not say about the old one.
 * @throws Failure that names the flag, when an answer is missing or wrong and there is nobody to ask.
 */
export async function askPairs(flags: PairFlags, project: Project, ports: PairPorts): Promise<Change> {
  const oldKid = await askKid(ports.ask, {
    flag: "--old-kid",
    text: "The fingerprint of the key that is in use now",
    given: flags.oldKid ?? stringIn(project.deployed, "KID") ?? stringIn(project.local, "KID"),
  });
  const oldKey = flags.oldKey ? await askOldKey(flags, project, ports) : undefined;
  const previous = oldKey === undefined ? undefined : { kid: oldKid, privateKey: oldKey };

  const { key: privateKey } = await askKeyFile(ports.ask, {
    flag: "--key-file",
    text: "The new private key that Coze offered for download, as a file",
    given: flags.keyFile,
    initial: ports.keyFile,
    issue: (key) => (isSameKey(key, oldKey) ? "is the key that is in use now" : undefined),
  });
  const { bits, fingerprint } = describeKey(privateKey);
  ports.say(`The new key has ${bits} bits. SHA-256 of its public key (SPKI): ${fingerprint}`);
  const kid = await askKid(ports.ask, {
    flag: "--kid",
    text: "KID: the fingerprint beside the new key in the Coze console",
    given: flags.kid,
    issue: (answer) => (answer === oldKid ? "is that of the key that is in use now" : undefined),
  });
  return { oldKid, previous, current: { kid, privateKey } };
}

async function askOldKey({ oldKeyFile }: PairFlags, { local }: Project, { ask }: PairPorts): Promise<string> {
  const existing = stringIn(local, "PRIVATE_KEY");
  if (oldKeyFile === undefined && existing !== undefined && "value" in (await importPrivateKey(existing))) {
    return existing;
  }
  const { key } = await askKeyFile(ask, {
    flag: "--old-key-file",
    text: "The private key that is in use now, as a file (if there is none: --no-old-key)",
    given: oldKeyFile,
  });
  return key;
}

function isSameKey(key: string, other: string | undefined): boolean {
  return other !== undefined && describeKey(key).fingerprint === describeKey(other).fingerprint;
}
