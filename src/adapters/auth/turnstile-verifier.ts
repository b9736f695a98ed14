import type { VerifyTurnstile } from "../../core/auth/turnstile.ts";
import { TokenError } from "../../core/token-error.ts";
import { FETCH_TIMEOUT_MS, type Fetch, fetchJson } from "../fetch-json.ts";
import type { SiteverifyResponse } from "./siteverify-response.ts";

/** A Turnstile token has at most 2048 characters. */
const MAX_TOKEN_LENGTH = 2048;

/** Error codes about the secret key, not about the client. */
const SECRET_ERRORS = ["missing-input-secret", "invalid-input-secret"];

export type TurnstileDependencies = {
  /** `undefined` if no caller has to pass Turnstile. */
  readonly secretKey: string | undefined;
  readonly siteverifyEndpoint: string;
  readonly fetch: Fetch;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/**
 * Creates the verifier of Turnstile responses. Turnstile accepts each response once, within a few minutes. Its host name
 * and action must be those of the rule.
 */
export function createTurnstileVerifier({
  secretKey,
  siteverifyEndpoint,
  fetch,
  now,
}: TurnstileDependencies): VerifyTurnstile {
  return async function verifyTurnstile(rule, response, clientAddress, deadline) {
    if (response === undefined || response === "")
      throw refused("is missing: send it in the header cf-turnstile-response");
    if (response.length > MAX_TOKEN_LENGTH) throw refused(`is longer than ${MAX_TOKEN_LENGTH} characters`);

    const result = await siteverify(response, clientAddress, deadline - now());
    const errors = result["error-codes"] ?? [];
    if (errors.some((code) => SECRET_ERRORS.includes(code))) throw wrongSecret();
    if (errors.includes("internal-error")) throw unavailable(undefined);
    if (errors.includes("timeout-or-duplicate"))
      throw refused("has expired, or was used before: solve a new challenge");
    if (!result.success) throw refused("was refused: solve a new challenge");
    if (rule.hostname !== undefined && result.hostname !== rule.hostname) throw refused("is of another host name");
    if (rule.action !== undefined && result.action !== rule.action) throw refused("is of another action");
  };

  async function siteverify(
    response: string,
    remoteip: string | undefined,
    timeLeftMs: number,
  ): Promise<SiteverifyResponse> {
    const body = JSON.stringify({ secret: secretKey, response, remoteip });
    try {
      const document = await fetchJson(fetch, siteverifyEndpoint, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        signal: AbortSignal.timeout(Math.max(0, Math.min(FETCH_TIMEOUT_MS, timeLeftMs))),
      });
      const { parseSiteverifyResponse } = await import("./siteverify-response.ts");
      return parseSiteverifyResponse(document);
    } catch (cause) {
      throw unavailable(cause);
    }
  }
}

function refused(issue: string): TokenError {
  return new TokenError("invalid_client", `The Turnstile response ${issue}.`);
}

function unavailable(cause: unknown): TokenError {
  return new TokenError("issuer_unavailable", "Turnstile is unavailable. Try again.", { cause });
}

function wrongSecret(): TokenError {
  return new TokenError("server_misconfigured", "The settings of this service need fixing: TURNSTILE_SECRET_KEY.", {
    issues: [{ path: "TURNSTILE_SECRET_KEY", message: "is not accepted by Turnstile" }],
  });
}
