import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { deriveLogKey } from "../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { createDigester } from "../../src/adapters/logging/digester.ts";
import { Failure } from "../lib/failure.ts";

/** The settings that hold private keys, the current one first. */
const KEY_SETTINGS = ["PRIVATE_KEY", "PREVIOUS_PRIVATE_KEY"];

/** A private key as pasted, and where it stands. */
type NamedKey = { readonly name: string; readonly pem: string };

/** The digest by which the log names a user under one private key. */
type NamedDigest = { readonly name: string; readonly digest: string };

/**
 * Reads the private keys of a vars file, if it is there, and of key files, in this order.
 * @throws Failure for a key file that cannot be read, and when there is no key at all.
 */
export async function readKeys(varsFile: string, keyFiles: readonly string[]): Promise<readonly NamedKey[]> {
  const vars = parseEnv((await readText(varsFile)) ?? "");
  const keys = KEY_SETTINGS.flatMap((name) => {
    const pem = vars[name]?.trim() ?? "";
    return pem === "" ? [] : [{ name: `${name} of ${varsFile}`, pem }];
  });
  for (const file of keyFiles) {
    const pem = await readText(file);
    if (pem === undefined) throw new Failure(`There is no file ${file} that can be read.`);
    keys.push({ name: file, pem });
  }
  if (keys.length > 0) return keys;
  throw new Failure(
    `There is no private key in ${varsFile}. The digest of a user depends on it: name the file of the key with --key-file.`,
  );
}

/**
 * Computes the digest of a session name under each key, as the Worker does; keys that are the same count once.
 * @throws Failure for what is no private key.
 */
export async function userDigests(sessionName: string, keys: readonly NamedKey[]): Promise<readonly NamedDigest[]> {
  const digests = new Map<string, string>();
  for (const { name, pem } of keys) {
    const key = await importPrivateKey(pem);
    if ("issues" in key) throw new Failure(`${name} ${key.issues[0]?.message}.`);
    const { userDigest } = createDigester(await deriveLogKey(key.value.derivationKey));
    const digest = await userDigest(sessionName);
    if (digest !== undefined && !digests.has(digest)) digests.set(digest, name);
  }
  return Array.from(digests, ([digest, name]) => ({ name, digest }));
}

function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
