import type { Problem } from "../../core/issue.ts";
import { within } from "../within.ts";

/** The first request of an isolate waits for it. */
const TIMEOUT_MS = 3000;

/**
 * Reads a secret that is either text or a binding of the Secrets Store, whose value has to be requested for.
 * @returns what it holds, or why it could not be read.
 */
export async function readSecret(secret: unknown): Promise<unknown | Problem> {
  if (!isSecretsStoreBinding(secret)) return secret;
  try {
    return await within(TIMEOUT_MS, secret.get());
  } catch {
    return {
      problem: "could not be read from the Secrets Store. Does the secret exist there, and may this Worker read it?",
    };
  }
}

function isSecretsStoreBinding(secret: unknown): secret is SecretsStoreSecret {
  return typeof secret === "object" && secret !== null && "get" in secret && typeof secret.get === "function";
}
