import { invalid } from "../../core/issue.ts";
import { within } from "../within.ts";

/** The first request of an isolate waits for it. */
const TIMEOUT_MS = 3000;

/**
 * Reads a secret that is either a string or a binding of the Secrets Store, which has to be asked for the value.
 * @returns the value, or the issue with it.
 */
export async function readSecret(secret: unknown): Promise<unknown> {
  if (!isSecretsStoreBinding(secret)) return secret;
  try {
    return await within(TIMEOUT_MS, secret.get());
  } catch {
    return invalid(
      "could not be read from the Secrets Store. Does the secret exist there, and may this Worker read it?",
    );
  }
}

function isSecretsStoreBinding(secret: unknown): secret is SecretsStoreSecret {
  return typeof secret === "object" && secret !== null && "get" in secret && typeof secret.get === "function";
}
