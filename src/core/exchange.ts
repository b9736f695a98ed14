import { type AssertionClaims, type AssertionSettings, assertionClaims } from "./assertion.ts";
import type { Grant } from "./grant.ts";
import type { IssuedToken } from "./issued-token.ts";
import { TokenError } from "./token-error.ts";

/** All attempts and pauses together end within this time, so that no caller waits longer. */
export const EXCHANGE_BUDGET_MS = 10_000;
/** One attempt and two more: past that, the caller is better served with an answer. */
export const MAX_ATTEMPTS = 3;
/** The longest pause before the second attempt; it doubles for the third. */
const RETRY_BASE_MS = 200;

export type ExchangeSettings = AssertionSettings & { readonly upstreamTimeoutMs: number };

/** What an exchange needs of the world. */
export type ExchangePorts = {
  /** Signs the claims to a compact JWS. */
  readonly sign: (claims: AssertionClaims) => Promise<string>;
  /** Asks Coze once. Throws a TokenError with an `upstream_…` code when no token comes of it. */
  readonly requestToken: (assertion: string, grant: Grant, timeoutMs: number) => Promise<IssuedToken>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** A new unguessable id at each call, at least 32 bytes of randomness. */
  readonly createId: () => string;
};

/**
 * Exchanges a fresh assertion for an access token, within {@link EXCHANGE_BUDGET_MS} in all.
 * Network failures, timeouts, 5xx, 429 and `internal_error` are tried again up to twice, after a pause with full jitter
 * or as long as Coze asks for; each attempt signs a new assertion, because Coze accepts each one once.
 * @throws TokenError `upstream_…`, the one of the last attempt.
 */
export async function exchange(grant: Grant, settings: ExchangeSettings, ports: ExchangePorts): Promise<IssuedToken> {
  const deadline = ports.now() + EXCHANGE_BUDGET_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptExchange(grant, settings, ports, deadline);
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isWorthRetrying(error)) throw error;

      const pause = pauseBefore(attempt + 1, error, ports.random());
      if (ports.now() + pause >= deadline) throw error;
      await ports.sleep(pause);
    }
  }
}

async function attemptExchange(
  grant: Grant,
  settings: ExchangeSettings,
  ports: ExchangePorts,
  deadline: number,
): Promise<IssuedToken> {
  const nowMs = ports.now();
  const claims = assertionClaims(settings, grant.userId, Math.floor(nowMs / 1000), ports.createId());
  const assertion = await ports.sign(claims);
  return ports.requestToken(assertion, grant, Math.min(settings.upstreamTimeoutMs, deadline - nowMs));
}

function isWorthRetrying(error: unknown): error is TokenError {
  return error instanceof TokenError && (error.code === "upstream_unavailable" || error.code === "upstream_timeout");
}

function pauseBefore(attempt: number, error: TokenError, random: number): number {
  const jitterMs = random * RETRY_BASE_MS * 2 ** (attempt - 2);
  const askedMs = (error.details.retryAfterSeconds ?? 0) * 1000;
  return Math.max(jitterMs, askedMs);
}
