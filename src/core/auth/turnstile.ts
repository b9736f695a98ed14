import type { TurnstileRule } from "./caller.ts";

/**
 * Verifies the response of a client's Turnstile widget against the rule. `deadline` is in Unix milliseconds.
 * @throws TokenError `invalid_client` for a response that is missing or invalid, `issuer_unavailable` when Turnstile
 * cannot be reached, `server_misconfigured` when it rejects the secret key.
 */
export type VerifyTurnstile = (
  rule: TurnstileRule,
  turnstileResponse: string | undefined,
  clientAddress: string | undefined,
  deadline: number,
) => Promise<void>;
