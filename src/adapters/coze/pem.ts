import { invalid, type Parsed } from "../../core/issue.ts";

/** Where to get the right file. */
export const KEY_ADVICE = "Use the private_key.pem that Coze offers for download when a key pair is created";
const PASTE_ADVICE = "Paste the whole file, in one line with \\n for each line break if need be";

/** What a PEM label other than that of an RSA private key says about what is below it (RFC 7468, RFC 1421). */
const REFUSED_LABELS: readonly (readonly [label: RegExp, message: string])[] = [
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
 * Parses what should be the PEM of an RSA private key (RFC 7468), or its base64 body, in any form that pasting gives it.
 * @returns the DER in it, which may still be anything.
 */
export function parsePem(pem: string): Parsed<Uint8Array<ArrayBuffer>> {
  const body = readPemBody(unescapeLines(pem));
  if ("issues" in body) return body;

  const der = decodeBase64(body.value);
  if (der === undefined) return invalid(`is not a PEM private key. ${KEY_ADVICE}`);
  if (isCutOff(der)) return invalid(`is cut off: only its beginning arrived. ${PASTE_ADVICE}`);
  return { value: der };
}

/** Takes quotes, blanks and escapes off. No form of PEM or base64 holds a backslash or a quote. */
function unescapeLines(pem: string): string {
  return pem
    .replace(/\\+[nr]?/g, "\n")
    .replace(/["'`]/g, "")
    .trim();
}

function readPemBody(pem: string): Parsed<string> {
  const labels = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = ""]) => label);
  if (labels.length === 0) return readBareBody(pem);

  const label = labels.find((name) => name === "PRIVATE KEY" || name === "RSA PRIVATE KEY");
  if (label === undefined) {
    const refusal = REFUSED_LABELS.find(([pattern]) => labels.some((name) => pattern.test(name)));
    return invalid(refusal?.[1] ?? `is not a private key. ${KEY_ADVICE}`);
  }

  const begin = `-----BEGIN ${label}-----`;
  const afterBegin = pem.slice(pem.indexOf(begin) + begin.length);
  if (afterBegin.trim() === "") {
    return invalid(`holds its first line only, which is what is left when line breaks end a value. ${PASTE_ADVICE}`);
  }
  if (/Proc-Type:\s*4,\s*ENCRYPTED/.test(afterBegin)) {
    return invalid("is encrypted with a passphrase. Decrypt it first: openssl pkey -in key.pem -out plain.pem");
  }
  const end = afterBegin.indexOf(`-----END ${label}-----`);
  if (end === -1) return invalid(`is cut off: its END line is missing. ${PASTE_ADVICE}`);
  return { value: afterBegin.slice(0, end) };
}

function readBareBody(pem: string): Parsed<string> {
  if (/^ssh-(rsa|ed25519) /.test(pem)) return invalid(`is a public key. ${KEY_ADVICE}`);
  return { value: pem };
}

function decodeBase64(pem: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = pem.replace(/\s/g, "");
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
