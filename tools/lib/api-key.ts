import { randomBytes } from "node:crypto";
import { sha256Hex } from "./sha256.ts";

/** As many as a SHA-256 has: the key cannot be guessed, or found from its digest. */
const KEY_BYTES = 32;
/** Shows where a key that turns up somewhere belongs. */
const KEY_PREFIX = "ctw_";

/** An API key, which nothing stores, and the digest by which the Worker knows it: SHA-256, in hex. */
export type ApiKey = { readonly key: string; readonly digest: string };

/** Makes a new API key. */
export function createApiKey(): ApiKey {
  const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString("base64url");
  return { key, digest: sha256Hex(key) };
}
