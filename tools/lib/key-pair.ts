import { generateKeyPairSync } from "node:crypto";

/** The key pair of an OAuth app, in PEM: PKCS#8 and SPKI, as the Coze console makes it. */
export type KeyPair = { readonly privateKey: string; readonly publicKey: string };

/** Makes an RSA key pair; 2048 bits are what Coze makes. */
export function createKeyPair(modulusLength = 2048): KeyPair {
  return generateKeyPairSync("rsa", {
    modulusLength,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}
