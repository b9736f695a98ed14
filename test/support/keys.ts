/** An RSA key pair made for one test run, in the strings that tests need. */
export type TestKey = {
  /** PKCS#8, as the Coze console offers it for download. */
  readonly privatePem: string;
  /** SPKI. */
  readonly publicPem: string;
  readonly publicKey: CryptoKey;
};

/** Generates a key pair for RS256. */
export async function createTestKey(modulusLength = 2048): Promise<TestKey> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
    true,
    ["sign", "verify"],
  )) as CryptoKeyPair; // an RSA algorithm always makes a pair
  return {
    privatePem: await exportPem(privateKey, "pkcs8", "PRIVATE KEY"),
    publicPem: await exportPem(publicKey, "spki", "PUBLIC KEY"),
    publicKey,
  };
}

/** The PEM text of a key (RFC 7468), ending in a line break as files do. */
export async function exportPem(key: CryptoKey, format: "pkcs8" | "spki", label: string): Promise<string> {
  const der = (await crypto.subtle.exportKey(format, key)) as ArrayBuffer; // never a JWK in these formats
  return pemOf(label, Buffer.from(der).toString("base64"));
}

/** Wraps base64 in PEM lines of 64 characters. */
export function pemOf(label: string, base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
