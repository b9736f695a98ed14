import type { KeyObject } from "node:crypto";
import { isProblem, type Problem } from "../../core/issue.ts";

/** A private key ready for use. Neither part can be exported again. */
export type PrivateKey = {
  /** Signs RS256. */
  readonly signingKey: CryptoKey;
  /** HKDF input made of the key's PKCS#8 form, the same for every way the key can be pasted. */
  readonly derivationKey: CryptoKey;
};

/** RFC 7518 §3.3: RS256 needs 2048 bits or more. */
const MIN_MODULUS_BITS = 2048;

const KEY_ADVICE = "Use the private_key.pem that Coze offers for download when a key pair is created";
const PASTE_ADVICE = "Paste the whole file, in one line with \\n for each line break if need be";

/** What a PEM label other than that of an RSA private key says about the text below it (RFC 7468, RFC 1421). */
const REFUSED_LABELS: readonly (readonly [label: RegExp, problem: string])[] = [
  [
    /^ENCRYPTED PRIVATE KEY$/,
    "is encrypted with a passphrase. Decrypt it first: openssl pkey -in key.pem -out plain.pem",
  ],
  [/^OPENSSH PRIVATE KEY$/, "is an OpenSSH key. Convert a copy of it first: ssh-keygen -p -m PEM -f copy-of-key"],
  [/^(EC|DSA) (PRIVATE KEY|PARAMETERS)$/, `is not an RSA key; Coze signs with RSA only. ${KEY_ADVICE}`],
  [/PUBLIC KEY$/, `is a public key. ${KEY_ADVICE}`],
  [/CERTIFICATE/, `is a certificate, which holds no private key. ${KEY_ADVICE}`],
];

/**
 * What comes before the RSAPrivateKey in PKCS#8 (RFC 5958), after the first four bytes: version 0, rsaEncryption, and an
 * octet string with a length of two bytes, as every key that is long enough has.
 */
const PKCS8_RSA_HEADER = [2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0, 4, 0x82];

/**
 * Imports an RSA private key in any of the forms in which people paste it: PKCS#8 or PKCS#1, with CRLF, literal `\n`,
 * spaces or nothing in place of line breaks, in quotes, with blanks around it, or only its base64 body.
 * @returns the key, or what is wrong with the string and how to fix it. It never throws.
 */
export async function importPrivateKey(text: string): Promise<PrivateKey | Problem> {
  const body = readPemBody(unescapeLines(text));
  if (isProblem(body)) return body;

  const der = decodeBase64(body.base64);
  if (der === undefined) return { problem: `is not a PEM private key. ${KEY_ADVICE}` };
  if (isCutOff(der)) return { problem: `is cut off: only its beginning arrived. ${PASTE_ADVICE}` };
  if (isPlainPkcs8(der)) {
    const key = await importPkcs8(der).catch(() => undefined);
    if (key !== undefined && modulusLengthOf(key) >= MIN_MODULUS_BITS) return key;
  }

  // `node:crypto` knows more forms and more reasons. Loading it costs milliseconds, which most starts can do without.
  const pkcs8 = toPkcs8(der, await import("node:crypto"));
  return isProblem(pkcs8) ? pkcs8 : importPkcs8(pkcs8.der);
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
function toPkcs8(der: Uint8Array, nodeCrypto: NodeCrypto): { readonly der: Uint8Array<ArrayBuffer> } | Problem {
  const key = parsePrivateKey(der, nodeCrypto);
  if (key === undefined) return { problem: issueForUnreadable(der, nodeCrypto) };
  if (key.asymmetricKeyType !== "rsa") return { problem: `is not an RSA key; Coze signs with RSA only. ${KEY_ADVICE}` };
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_MODULUS_BITS) {
    return {
      problem: `is shorter than ${MIN_MODULUS_BITS} bits, which RS256 does not allow. Create a new key pair at Coze`,
    };
  }
  return { der: new Uint8Array(key.export({ format: "der", type: "pkcs8" })) };
}

/** Takes quotes, blanks and escapes off. No form of PEM or base64 holds a backslash or a quote. */
function unescapeLines(text: string): string {
  return text
    .replace(/\\+[nr]?/g, "\n")
    .replace(/["'`]/g, "")
    .trim();
}

function readPemBody(text: string): { readonly base64: string } | Problem {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = ""]) => label);
  if (labels.length === 0) return readBareBody(text);

  const label = labels.find((name) => name === "PRIVATE KEY" || name === "RSA PRIVATE KEY");
  if (label === undefined) {
    const refusal = REFUSED_LABELS.find(([pattern]) => labels.some((name) => pattern.test(name)));
    return { problem: refusal?.[1] ?? `is not a private key. ${KEY_ADVICE}` };
  }

  const begin = `-----BEGIN ${label}-----`;
  const afterBegin = text.slice(text.indexOf(begin) + begin.length);
  if (afterBegin.trim() === "") {
    return {
      problem: `holds its first line only, which is what is left when line breaks end a value. ${PASTE_ADVICE}`,
    };
  }
  if (/Proc-Type:\s*4,\s*ENCRYPTED/.test(afterBegin)) {
    return { problem: "is encrypted with a passphrase. Decrypt it first: openssl pkey -in key.pem -out plain.pem" };
  }
  const end = afterBegin.indexOf(`-----END ${label}-----`);
  if (end === -1) return { problem: `is cut off: its END line is missing. ${PASTE_ADVICE}` };
  return { base64: afterBegin.slice(0, end) };
}

function readBareBody(text: string): { readonly base64: string } | Problem {
  if (/^ssh-(rsa|ed25519) /.test(text)) return { problem: `is a public key. ${KEY_ADVICE}` };
  return { base64: text };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = text.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return undefined;
  try {
    return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Whether the DER sequence says it is longer than the bytes that arrived (X.690 §8.1.3). */
function isCutOff(der: Uint8Array): boolean {
  const [tag, length = 0, ...lengthBytes] = der.subarray(0, 6);
  if (tag !== 0x30) return false;
  if (length < 0x80) return der.length < 2 + length;

  const count = length & 0x7f;
  const declared = lengthBytes.slice(0, count).reduce((total, byte) => total * 256 + byte, 0);
  return der.length < 2 + count + declared;
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
