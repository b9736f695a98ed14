import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { importPrivateKey } from "../../../src/adapters/coze/private-key.ts";
import { createTestKey, exportPem, pemOf, type TestKey } from "../../support/keys.ts";
import { parsedValue } from "../../support/parsed-value.ts";

let key: TestKey;
let pkcs8Body: string;
let pkcs1Pem: string;

beforeAll(async () => {
  key = await createTestKey();
  pkcs8Body = bodyOf(key.privatePem);
  pkcs1Pem = String(createPrivateKey(key.privatePem).export({ format: "pem", type: "pkcs1" }));
});

function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, "");
}

const escaped = (pem: string) => pem.replaceAll("\n", "\\n");

/** PKCS#8 may end with attributes (RFC 5208), as some tools write them; here it is an empty set. */
function withAttributes(pem: string): string {
  const der = Buffer.from(bodyOf(pem), "base64");
  der.writeUInt16BE(der.readUInt16BE(2) + 2, 2);
  return pemOf("PRIVATE KEY", Buffer.concat([der, Buffer.from([0xa0, 0])]).toString("base64"));
}

const FORMS: Readonly<Record<string, () => string>> = {
  "PKCS#8 as downloaded": () => key.privatePem,
  "PKCS#8 with attributes": () => withAttributes(key.privatePem),
  "PKCS#1": () => pkcs1Pem,
  "CRLF line ends": () => key.privatePem.replaceAll("\n", "\r\n"),
  "PKCS#1 with CRLF line ends": () => pkcs1Pem.replaceAll("\n", "\r\n"),
  "literal \\n": () => escaped(key.privatePem),
  "literal \\r\\n": () => key.privatePem.replaceAll("\n", "\\r\\n"),
  "doubly escaped \\\\n": () => key.privatePem.replaceAll("\n", "\\\\n"),
  "literal \\n before each line break": () => key.privatePem.replaceAll("\n", "\\n\n"),
  "spaces instead of line breaks": () => key.privatePem.replaceAll("\n", " "),
  "everything on one line": () => key.privatePem.replaceAll("\n", ""),
  "PKCS#1 on one line": () => pkcs1Pem.replaceAll("\n", ""),
  "double quotes around it": () => `"${key.privatePem}"`,
  "single quotes around it, escaped": () => `'${escaped(key.privatePem)}'`,
  "a JSON string": () => JSON.stringify(key.privatePem),
  "blanks around it": () => `\n\t  ${key.privatePem}  \n\n`,
  "a byte order mark": () => `\ufeff${key.privatePem}`,
  "blank lines inside": () => key.privatePem.replaceAll("\n", "\n\n"),
  "indented lines": () => key.privatePem.replaceAll("\n", "\n    "),
  "only its base64 body": () => pkcs8Body,
  "only its base64 body, in lines": () => pkcs8Body.replace(/.{64}/g, "$&\n"),
  "only the PKCS#1 body": () => bodyOf(pkcs1Pem),
  "text before it": () => `Bag Attributes\n    friendlyName: coze\nKey Attributes: <No Attributes>\n${key.privatePem}`,
  "the label of the other form": () => key.privatePem.replaceAll("PRIVATE KEY", "RSA PRIVATE KEY"),
};

describe("a private key in any pasted form", () => {
  it.each(Object.keys(FORMS))("imports the same private key from every pasted form: %s", async (form) => {
    const imported = parsedValue(await importPrivateKey(FORMS[form]?.() ?? ""));

    const message = new TextEncoder().encode("message");
    const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", imported.signingKey, message);
    expect(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key.publicKey, signature, message)).toBe(true);
  });

  it("derives secrets from the PKCS#8 form of a private key, as earlier versions did", async () => {
    const imported = parsedValue(await importPrivateKey(key.privatePem));
    const pkcs8 = createPrivateKey(key.privatePem).export({ format: "der", type: "pkcs8" });
    const expected = await crypto.subtle.importKey("raw", pkcs8, "HKDF", false, ["deriveKey"]);
    expect(await fingerprintOf(imported.derivationKey)).toBe(await fingerprintOf(expected));
  });

  it("derives the same secrets from every pasted form of a private key", async () => {
    const derived = new Set<string>();
    for (const form of Object.values(FORMS)) {
      derived.add(await fingerprintOf(parsedValue(await importPrivateKey(form())).derivationKey));
    }
    expect(derived.size).toBe(1);
  });

  it("imports a private key that can never be exported again", async () => {
    const imported = parsedValue(await importPrivateKey(key.privatePem));
    expect(imported.signingKey.extractable).toBe(false);
    expect(imported.derivationKey.extractable).toBe(false);
  });
});

async function fingerprintOf(derivationKey: CryptoKey): Promise<string> {
  const mac = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new Uint8Array() },
    derivationKey,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"],
  );
  return Buffer.from(await crypto.subtle.sign("HMAC", mac, new Uint8Array())).toString("hex");
}

describe("a string that is no usable private key", () => {
  const lines = (count: number) => key.privatePem.split("\n").slice(0, count).join("\n");

  it.each<[string, () => string | Promise<string>, string]>([
    ["a public key", () => key.publicPem, "is a public key"],
    ["a PKCS#1 public key", () => pemOf("RSA PUBLIC KEY", "AAAA"), "is a public key"],
    ["the body of a public key", () => bodyOf(key.publicPem), "is a public key"],
    ["an SSH public key", () => "ssh-rsa AAAAB3NzaC1yc2E= me@home", "is a public key"],
    ["a certificate", () => pemOf("CERTIFICATE", "AAAA"), "is a certificate"],
    ["a certificate request", () => pemOf("CERTIFICATE REQUEST", "AAAA"), "is a certificate"],
    ["an encrypted PKCS#8 key", () => pemOf("ENCRYPTED PRIVATE KEY", "AAAA"), "is encrypted"],
    [
      "an encrypted PKCS#1 key",
      () => pkcs1Pem.replace("\n", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"),
      "is encrypted",
    ],
    ["an EC key", () => pemOf("EC PRIVATE KEY", "AAAA"), "is not an RSA key"],
    [
      "an EC key after its parameters",
      () => pemOf("EC PARAMETERS", "BggqhkjOPQMBBw==") + pemOf("EC PRIVATE KEY", "AAAA"),
      "is not an RSA key",
    ],
    ["an EC key in PKCS#8", ecPem, "is not an RSA key"],
    ["an OpenSSH key", () => pemOf("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEA"), "is an OpenSSH key"],
    ["another PEM string", () => pemOf("PGP MESSAGE", "AAAA"), "is not a private key"],
    ["the first line only", () => lines(1), "holds its first line only"],
    ["the first line only, quoted", () => `"${lines(1)}`, "holds its first line only"],
    ["the first two lines", () => lines(2), "is cut off"],
    ["all but the last line", () => key.privatePem.replace(/-----END.*/s, ""), "is cut off"],
    ["half of the body", () => pemOf("PRIVATE KEY", pkcs8Body.slice(0, 800)), "is cut off"],
    ["the first line of the body alone", () => pkcs8Body.slice(0, 64), "is cut off"],
    ["an RSA key of 1024 bits", async () => (await createTestKey(1024)).privatePem, "is shorter than 2048 bits"],
    ["plain words", () => "my secret key!", "is not a PEM private key"],
    ["a body that is not base64", () => pemOf("PRIVATE KEY", "****"), "is not a PEM private key"],
    ["a base64 string of impossible length", () => "AAAAA", "is not a PEM private key"],
    ["base64 of something else", () => btoa("nothing that is a key"), "is damaged"],
    ["a short sequence that is no key", () => pemOf("PRIVATE KEY", "MAMCAQA="), "is damaged"],
    ["a cut short sequence", () => pemOf("PRIVATE KEY", "MAMC"), "is cut off"],
    ["an empty sequence", () => pemOf("PRIVATE KEY", "MAA="), "is damaged"],
  ])(
    "refuses what is no usable private key, and says what it is and how to fix it: %s",
    async (_what, text, message) => {
      const imported = await importPrivateKey(await text());
      expect(imported).toEqual({ issues: [{ path: "", message: expect.stringContaining(message) }] });
      expect(JSON.stringify(imported)).toMatch(/Use |Paste |Decrypt |Convert |Create /);
    },
  );

  async function ecPem(): Promise<string> {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    return exportPem((pair as CryptoKeyPair).privateKey, "pkcs8", "PRIVATE KEY");
  }
});
