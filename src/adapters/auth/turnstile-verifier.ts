import * as z from "zod/mini";
import type { VerifyTurnstile } from "../../core/auth/turnstile.ts";
import { TokenError } from "../../core/token-error.ts";
import { FETCH_TIMEOUT_MS, type Fetch, fetchJson } from "../fetch-json.ts";

/** Cloudflare: "Server-side validation" of Turnstile. */
const siteverifyAnswer = z.object({
  success: z.boolean(),
  hostname: z.optional(z.string()),
  action: z.optional(z.string()),
  "error-codes": z.optional(z.array(z.string())),
});

/** A Turnstile token has at most 2048 characters. */
const MAX_TOKEN_LENGTH = 2048;

/** Error codes that speak of the secret key, not of the visitor. */
const SECRET_ERRORS = ["missing-input-secret", "invalid-input-secret"];

export type TurnstileDependencies = {
  /** Where no caller has to pass Turnstile, there is none. */
  readonly secretKey: string | undefined;
  readonly siteverifyEndpoint: string;
  readonly fetch: Fetch;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/**
 * Creates the check of visitors by Turnstile.
 * @throws TokenError `invalid_client` when the response is missing, refused, used before, expired, or of another page;
 * `issuer_unavailable` when Turnstile cannot be asked; `server_misconfigured` when it refuses the secret key.
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
    if (response.length > MAX_TOKEN_LENGTH) throw refused("is too long to be one");

    const answer = await ask(response, clientAddress, deadline - now());
    const errors = answer["error-codes"] ?? [];
    if (errors.some((code) => SECRET_ERRORS.includes(code))) throw wrongSecret();
    if (errors.includes("internal-error")) throw unavailable(undefined);
    if (errors.includes("timeout-or-duplicate"))
      throw refused("has expired, or was used before: solve a new challenge");
    if (!answer.success) throw refused("was refused: solve a new challenge");
    if (rule.hostname !== undefined && answer.hostname !== rule.hostname) throw refused("is of another host name");
    if (rule.action !== undefined && answer.action !== rule.action) throw refused("is of another action");
  };

  async function ask(
    response: string,
    remoteip: string | undefined,
    timeLeftMs: number,
  ): Promise<z.infer<typeof siteverifyAnswer>> {
    const body = JSON.stringify({ secret: secretKey, response, remoteip });
    try {
      return siteverifyAnswer.parse(
        await fetchJson(fetch, siteverifyEndpoint, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body,
          signal: AbortSignal.timeout(Math.max(0, Math.min(FETCH_TIMEOUT_MS, timeLeftMs))),
        }),
      );
    } catch (cause) {
      throw unavailable(cause);
    }
  }
}

function refused(problem: string): TokenError {
  return new TokenError("invalid_client", `The Turnstile response ${problem}.`);
}

function unavailable(cause: unknown): TokenError {
  return new TokenError("issuer_unavailable", "Turnstile could not be asked. Try again.", { cause });
}

function wrongSecret(): TokenError {
  return new TokenError("server_misconfigured", "The settings of this service need fixing: TURNSTILE_SECRET_KEY.", {
    problems: [{ setting: "TURNSTILE_SECRET_KEY", problem: "is not accepted by Turnstile" }],
  });
}
