import { type AssertionClaims, type AssertionSettings, assertionClaims } from "./assertion.ts";
import type { Grant } from "./grant.ts";
import type { IssuedToken } from "./issued-token.ts";
import type { Log } from "./log.ts";
import { TokenError } from "./token-error.ts";

/** All attempts and pauses together end within this time, so that no caller waits longer. */
export const EXCHANGE_BUDGET_MS = 10_000;
/** One attempt and two more: past that, the caller is better served with an answer. */
export const MAX_ATTEMPTS = 3;
/** The longest pause before the second attempt; it doubles for the third. */
const RETRY_BASE_MS = 200;

export type ExchangeSettings = AssertionSettings & { readonly upstreamTimeoutMs: number };

/** Signs the claims to a compact JWS. */
export type Sign = (claims: AssertionClaims) => Promise<string>;

/** What an exchange needs of the world. */
export type ExchangePorts = {
  readonly sign: Sign;
  /** Signs with the key that was in use before, while a new one is being introduced. */
  readonly signWithPrevious: Sign | undefined;
  /** Asks Coze once. Throws a TokenError with an `upstream_…` code when no token comes of it. */
  readonly requestToken: (assertion: string, grant: Grant, timeoutMs: number) => Promise<CozeAnswer>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** A new unguessable id at each call, at least 32 bytes of randomness. */
  readonly createId: () => string;
  readonly log: Log;
};

/** A token as Coze answered it, and the id under which Coze's support finds the call. */
export type CozeAnswer = { readonly token: IssuedToken; readonly logId: string | undefined };

/** What came of an exchange, and how long its attempts took in all. */
export type Exchanged = CozeAnswer & { readonly signMs: number; readonly upstreamMs: number };

/**
 * Exchanges a fresh assertion for an access token, within {@link EXCHANGE_BUDGET_MS} in all.
 * Network failures, timeouts, 5xx, 429 and `internal_error` are tried again up to twice, after a pause with full jitter
 * or as long as Coze asks for; each attempt signs a new assertion, because Coze accepts each one once. When Coze does
 * not know the key, the previous one, if there is one, gets one try.
 * @throws TokenError `upstream_…`, the one of the last attempt with the current key.
 */
export async function exchange(grant: Grant, settings: ExchangeSettings, ports: ExchangePorts): Promise<Exchanged> {
  const deadline = ports.now() + EXCHANGE_BUDGET_MS;
  const spent = { signMs: 0, upstreamMs: 0 };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { ...(await attemptExchange(ports.sign)), ...spent };
    } catch (error) {
      if (isKeyRefusal(error) && ports.signWithPrevious !== undefined) {
        return { ...(await exchangeWithPrevious(ports.signWithPrevious, error)), ...spent };
      }
      if (attempt === MAX_ATTEMPTS || !isWorthRetrying(error)) throw error;

      const pause = pauseBefore(attempt + 1, error, ports.random());
      if (ports.now() + pause >= deadline) throw error;
      await ports.sleep(pause);
    }
  }

  async function attemptExchange(sign: Sign): Promise<CozeAnswer> {
    const startedAt = ports.now();
    const claims = assertionClaims(settings, grant.userId, Math.floor(startedAt / 1000), ports.createId());
    const assertion = await sign(claims);
    const signedAt = ports.now();
    spent.signMs += signedAt - startedAt;
    try {
      return await ports.requestToken(assertion, grant, Math.min(settings.upstreamTimeoutMs, deadline - signedAt));
    } finally {
      spent.upstreamMs += ports.now() - signedAt;
    }
  }

  async function exchangeWithPrevious(signWithPrevious: Sign, refusal: TokenError): Promise<CozeAnswer> {
    try {
      const answer = await attemptExchange(signWithPrevious);
      ports.log("warn", "previous_key_used", { description: refusal.message, coze: refusal.details.coze });
      return answer;
    } catch {
      // What Coze says of the key that is meant to stay is what has to be mended.
      throw refusal;
    }
  }
}

function isKeyRefusal(error: unknown): error is TokenError {
  return error instanceof TokenError && error.details.coze?.error_code === "invalid_client";
}

function isWorthRetrying(error: unknown): error is TokenError {
  return error instanceof TokenError && (error.code === "upstream_unavailable" || error.code === "upstream_timeout");
}

function pauseBefore(attempt: number, error: TokenError, random: number): number {
  const jitterMs = random * RETRY_BASE_MS * 2 ** (attempt - 2);
  const askedMs = (error.details.retryAfterSeconds ?? 0) * 1000;
  return Math.max(jitterMs, askedMs);
}
