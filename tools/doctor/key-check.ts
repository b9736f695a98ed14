import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { parsePem } from "../../src/adapters/coze/pem.ts";
import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";

/** How Coze's fingerprints look: 32 bytes in base64url. */
const KID_FORM = /^[A-Za-z0-9_-]{43}$/;

/** What can be said of a private key without showing it. */
export type KeyDescription = { readonly bits: number; readonly fingerprint: string };

/** The names of a pair's settings, and the command that replaces it. */
export type PairNames = { readonly key: string; readonly kid: string; readonly replace: string };

/** Checks a private key in any form, and shows the fingerprint of its public key beside the KID. */
export async function checkKey(names: PairNames, pem: string, kid: string): Promise<Finding> {
  const imported = await importPrivateKey(pem);
  if ("issues" in imported) {
    const [issue] = imported.issues;
    return failed(names.key, `It ${issue?.message}.`, names.replace);
  }
  const { bits, fingerprint } = describeKey(pem);
  const detail = `RSA, ${bits} bits. SHA-256 of its public key (SPKI): ${fingerprint}. ${names.kid}: ${kid}`;
  if (KID_FORM.test(kid)) return passed(names.key, detail);
  return passed(
    names.key,
    detail,
    `Coze's fingerprints have 43 characters, ${names.kid} has ${kid.length}. Copy it again if Coze refuses it.`,
  );
}

/** Describes a private key that {@link importPrivateKey} accepts. */
export function describeKey(pem: string): KeyDescription {
  const der = parsePem(pem);
  if ("issues" in der) throw new TypeError("a key that cannot be imported is not described");
  const publicKey = createPublicKey(privateKeyFrom(Buffer.from(der.value)));
  return {
    bits: publicKey.asymmetricKeyDetails?.modulusLength ?? 0,
    fingerprint: createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("base64url"),
  };
}

function privateKeyFrom(key: Buffer) {
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } catch {
    return createPrivateKey({ key, format: "der", type: "pkcs1" });
  }
}
