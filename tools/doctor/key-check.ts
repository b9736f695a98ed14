import { type Finding, failed, passed } from "../lib/finding.ts";
import { KID_LENGTH } from "../lib/kid-length.ts";
import { describeKey, importUsableKey } from "../lib/usable-key.ts";

/** How Coze's fingerprints look: base64url. */
const KID_FORM = new RegExp(`^[A-Za-z0-9_-]{${KID_LENGTH}}$`);

/** The names of a pair's settings, and the command that replaces it. */
export type PairNames = { readonly key: string; readonly kid: string; readonly replace: string };

/** Checks a private key in any form, and shows the digest of its public key beside the KID. */
export async function checkKey(names: PairNames, pem: string, kid: string): Promise<Finding> {
  const imported = await importUsableKey(pem);
  if ("issues" in imported) {
    const [issue] = imported.issues;
    return failed(names.key, `${issue?.message}`, names.replace);
  }
  const { bits, publicKeyDigest } = describeKey(pem);
  // On lines of their own, as they are compared by eye.
  const detail = `RSA, ${bits} bits. SHA-256 of its public key (SPKI), and ${names.kid}:\n${publicKeyDigest}\n${kid}`;
  if (kid === "" || KID_FORM.test(kid)) return passed(names.key, detail);
  return passed(
    names.key,
    detail,
    `Coze's fingerprints have ${KID_LENGTH} characters, ${names.kid} has ${kid.length}. Copy it again if Coze refuses it.`,
  );
}
