import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
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
 * Imports an RSA private key in any of the forms in which people paste it: PKCS#8 or PKCS#1, with CRLF, literal `\n`,
 * spaces or nothing in place of line breaks, in quotes, with blanks around it, or only its base64 body.
 * @returns the key, or what is wrong with the text and how to mend it. It never throws.
 */
export async function importPrivateKey(text: string): Promise<PrivateKey | Problem> {
  const read = readPrivateKey(text);
  if (isProblem(read)) return read;

  const pkcs8 = read.key.export({ format: "der", type: "pkcs8" });
  const [signingKey, derivationKey] = await Promise.all([
    crypto.subtle.importKey("pkcs8", pkcs8, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["sign"]),
    crypto.subtle.importKey("raw", pkcs8, "HKDF", false, ["deriveKey", "deriveBits"]),
  ]);
  return { signingKey, derivationKey };
}

function readPrivateKey(text: string): { readonly key: KeyObject } | Problem {
  const body = readPemBody(unescapeLines(text));
  if (isProblem(body)) return body;

  const der = decodeBase64(body.base64);
  if (der === undefined) return { problem: `is not a PEM private key. ${KEY_ADVICE}` };
  if (isCutOff(der)) return { problem: `is cut off: only its beginning arrived. ${PASTE_ADVICE}` };

  const key = parsePrivateKey(der);
  if (key === undefined) return { problem: issueForUnreadable(der) };
  if (key.asymmetricKeyType !== "rsa") return { problem: `is not an RSA key; Coze signs with RSA only. ${KEY_ADVICE}` };
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_MODULUS_BITS) {
    return {
      problem: `is shorter than ${MIN_MODULUS_BITS} bits, which RS256 does not allow. Create a new key pair at Coze`,
    };
  }
  return { key };
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

function decodeBase64(text: string): Uint8Array | undefined {
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

function parsePrivateKey(der: Uint8Array): KeyObject | undefined {
  for (const type of ["pkcs8", "pkcs1"] as const) {
    try {
      return createPrivateKey({ key: Buffer.from(der), format: "der", type });
    } catch {
      // The other form is still to be tried.
    }
  }
  return undefined;
}

function issueForUnreadable(der: Uint8Array): string {
  try {
    createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
    return `is a public key. ${KEY_ADVICE}`;
  } catch {
    return `is damaged: it cannot be read as an RSA private key. ${KEY_ADVICE}`;
  }
}
