import type { KeyObject } from "node:crypto";
import { invalid, type Parsed } from "../../core/issue.ts";
import { KEY_ADVICE, parsePem } from "./pem.ts";

/** A private key ready for use. Neither part can be exported again. */
export type PrivateKey = {
  /** Signs RS256. */
  readonly signingKey: CryptoKey;
  /** HKDF input made of the key's PKCS#8 form, the same for every way the key can be pasted. */
  readonly derivationKey: CryptoKey;
};

/** RFC 7518 §3.3: RS256 needs 2048 bits or more. */
const MIN_MODULUS_BITS = 2048;

/**
 * What comes before the RSAPrivateKey in PKCS#8 (RFC 5958), after the first four bytes: version 0, rsaEncryption, and an
 * octet string with a length of two bytes, as every key that is long enough has.
 */
const PKCS8_RSA_HEADER = [2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0, 4, 0x82];

/**
 * Imports an RSA private key in any of the forms in which people paste it: PKCS#8 or PKCS#1, with CRLF, literal `\n`,
 * spaces or nothing instead of line breaks, in quotes, with blanks around it, or only its base64 body.
 * @returns the key, or what is wrong with the string and how to fix it. It never throws.
 */
export async function importPrivateKey(pastedKey: string): Promise<Parsed<PrivateKey>> {
  const pem = parsePem(pastedKey);
  if ("issues" in pem) return pem;

  const der = pem.value;
  if (isPlainPkcs8(der)) {
    const key = await importPkcs8(der).catch(() => undefined);
    if (key !== undefined && modulusLengthOf(key) >= MIN_MODULUS_BITS) return { value: key };
  }

  // `node:crypto` knows more forms and more reasons. Loading it costs milliseconds, which most starts can do without.
  const pkcs8 = toPkcs8(der, await import("node:crypto"));
  return "issues" in pkcs8 ? pkcs8 : { value: await importPkcs8(pkcs8.value) };
}

async function importPkcs8(der: Uint8Array<ArrayBuffer>): Promise<PrivateKey> {
  const [signingKey, derivationKey] = await Promise.all([
    crypto.subtle.importKey("pkcs8", der, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["sign"]),
    crypto.subtle.importKey("raw", der, "HKDF", false, ["deriveKey", "deriveBits"]),
  ]);
  return { signingKey, derivationKey };
}

function modulusLengthOf({ signingKey }: PrivateKey): number {
  return (signingKey.algorithm as CryptoKeyRsaKeyAlgorithm).modulusLength; // the algorithm that importPkcs8 names
}

/** Whether it is PKCS#8 byte for byte as `node:crypto` would export it: nothing optional, nothing after it. */
function isPlainPkcs8(der: Uint8Array): boolean {
  const view = new DataView(der.buffer, der.byteOffset, der.byteLength);
  return (
    der.length > 26 &&
    view.getUint16(0) === 0x3082 &&
    view.getUint16(2) === der.length - 4 &&
    PKCS8_RSA_HEADER.every((byte, index) => der[4 + index] === byte) &&
    view.getUint16(24) === der.length - 26
  );
}

type NodeCrypto = typeof import("node:crypto");

/** The same key as PKCS#8 without anything optional, so that each form of it derives the same secrets. */
function toPkcs8(der: Uint8Array, nodeCrypto: NodeCrypto): Parsed<Uint8Array<ArrayBuffer>> {
  const key = parsePrivateKey(der, nodeCrypto);
  if (key === undefined) return invalid(issueForUnreadable(der, nodeCrypto));
  if (key.asymmetricKeyType !== "rsa") return invalid(`is not an RSA key; Coze signs with RSA only. ${KEY_ADVICE}`);
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_MODULUS_BITS) {
    return invalid(
      `is shorter than ${MIN_MODULUS_BITS} bits, which RS256 does not allow. Create a new key pair at Coze`,
    );
  }
  return { value: new Uint8Array(key.export({ format: "der", type: "pkcs8" })) };
}

function parsePrivateKey(der: Uint8Array, { createPrivateKey }: NodeCrypto): KeyObject | undefined {
  for (const type of ["pkcs8", "pkcs1"] as const) {
    try {
      return createPrivateKey({ key: Buffer.from(der), format: "der", type });
    } catch {
      // The other form is still to be tried.
    }
  }
  return undefined;
}

function issueForUnreadable(der: Uint8Array, { createPublicKey }: NodeCrypto): string {
  try {
    createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
    return `is a public key. ${KEY_ADVICE}`;
  } catch {
    return `is damaged: it cannot be read as an RSA private key. ${KEY_ADVICE}`;
  }
}
