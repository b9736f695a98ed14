import type { Grant } from "../grant/grant.ts";
import type { Log } from "../log.ts";
import { RATE_LIMIT_PERIOD_SECONDS } from "../rate-limit.ts";
import { isKeyRefusal, TokenError } from "../token-error.ts";
import { type AssertionClaims, type AssertionSettings, assertionClaims } from "./assertion.ts";
import type { Attempt, CircuitBreaker } from "./circuit-breaker.ts";
import type { AccessToken } from "./token.ts";

/** All attempts and pauses together end within this time, so that no caller waits longer. */
export const EXCHANGE_BUDGET_MS = 10_000;
/** One attempt and two retries: after that, a client is better off with an error. */
export const MAX_ATTEMPTS = 3;
/** A timeout this long counts as whole even if the setting is longer: the limiter and the signature use some of the budget. */
const WHOLE_TIMEOUT_MS = EXCHANGE_BUDGET_MS - 1000;
/** The longest pause before the second attempt; it doubles for the third. */
const RETRY_BASE_MS = 200;

export type ExchangeSettings = AssertionSettings & { readonly upstreamTimeoutMs: number };

/** Signs the claims to a compact JWS. */
export type Sign = (claims: AssertionClaims) => Promise<string>;

/** An assertion as a compact JWS, and its `iat` in Unix seconds, from which the life of the token counts. */
export type SignedAssertion = { readonly jws: string; readonly issuedAt: number };

/** Counts an exchange of a user, and tells whether it is within the limit. It never fails. */
export type CountExchange = () => Promise<boolean>;

/** What an exchange needs of the world. */
export type ExchangePorts = {
  readonly sign: Sign;
  /** Signs with the key that was in use before, while a new one is being introduced. */
  readonly signWithPrevious: Sign | undefined;
  /** Asks Coze once. Throws a TokenError with an `upstream_…` code when no token comes of it. */
  readonly requestToken: (assertion: SignedAssertion, grant: Grant, timeoutMs: number) => Promise<TokenResponse>;
  readonly circuit: CircuitBreaker;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** A new unguessable id at each call, at least 32 bytes of randomness. */
  readonly createId: () => string;
  readonly log: Log;
};

/** The token that Coze issued, and the id by which Coze's support finds the call. */
export type TokenResponse = { readonly token: AccessToken; readonly logId: string | undefined };

/** What came of an exchange, how often Coze was asked, and how long that took in all. */
export type ExchangeResult = TokenResponse & {
  readonly signMs: number;
  readonly upstreamMs: number;
  readonly attempts: number;
};

/**
 * Exchanges a fresh assertion for an access token, within {@link EXCHANGE_BUDGET_MS} in all.
 * Network failures, timeouts, 5xx, 429 and `internal_error` are tried again up to twice, after a pause with full jitter
 * or as long as Coze asks for; each attempt signs a new assertion, because Coze accepts each one once. When Coze refuses
 * the key, the previous one, if there is one, gets one try. No attempt is made that the circuit breaker does not admit.
 * @throws TokenError `upstream_…`, the one of the last attempt with the current key, or `upstream_unavailable` while the
 * circuit is open; `rate_limited` when the user has had too many new tokens. Each has its `attempts`.
 */
export async function exchange(
  grant: Grant,
  countExchange: CountExchange,
  settings: ExchangeSettings,
  ports: ExchangePorts,
): Promise<ExchangeResult> {
  const { circuit } = ports;
  const deadline = ports.now() + EXCHANGE_BUDGET_MS;
  const totals = { signMs: 0, upstreamMs: 0, attempts: 0 };

  try {
    return { ...(await attemptRepeatedly()), ...totals };
  } catch (error) {
    if (error instanceof TokenError) error.attempts = totals.attempts;
    throw error;
  }

  async function attemptRepeatedly(): Promise<TokenResponse> {
    // First: while the circuit is open, nothing is counted. A request that loses the lease to another below has been.
    circuit.check();
    if (!(await countExchange())) throw tooManyExchanges();

    let attempt = circuit.admit();
    for (let attemptNumber = 1; ; attemptNumber += 1) {
      try {
        return await attemptExchange(ports.sign, attempt);
      } catch (error) {
        if (isRefusedKey(error) && ports.signWithPrevious !== undefined) {
          return exchangeWithPrevious(ports.signWithPrevious, error);
        }
        if (attemptNumber === MAX_ATTEMPTS || !isWorthRetrying(error)) throw error;

        const pause = pauseBefore(attemptNumber + 1, error, ports.random());
        if (ports.now() + pause >= deadline) throw error;
        circuit.check(error);
        await ports.sleep(pause);
        attempt = circuit.admit(error);
      }
    }
  }

  async function attemptExchange(sign: Sign, attempt: Attempt): Promise<TokenResponse> {
    let timeoutMs = 0;
    try {
      const assertion = await signAssertion(sign);
      // A pause may end late, when nothing is left.
      timeoutMs = Math.max(0, Math.min(settings.upstreamTimeoutMs, deadline - ports.now()));
      const response = await requestToken(assertion, timeoutMs);
      attempt.responded();
      return response;
    } catch (error) {
      endAttempt(attempt, error, timeoutMs >= Math.min(settings.upstreamTimeoutMs, WHOLE_TIMEOUT_MS));
      throw error;
    }
  }

  async function signAssertion(sign: Sign): Promise<SignedAssertion> {
    const startedAt = ports.now();
    const issuedAt = Math.floor(startedAt / 1000);
    const jws = await sign(assertionClaims(settings, grant.userId, issuedAt, ports.createId()));
    totals.signMs += ports.now() - startedAt;
    return { jws, issuedAt };
  }

  async function requestToken(assertion: SignedAssertion, timeoutMs: number): Promise<TokenResponse> {
    const startedAt = ports.now();
    totals.attempts += 1;
    try {
      return await ports.requestToken(assertion, grant, timeoutMs);
    } finally {
      totals.upstreamMs += ports.now() - startedAt;
    }
  }

  async function exchangeWithPrevious(signWithPrevious: Sign, refusal: TokenError): Promise<TokenResponse> {
    try {
      const response = await attemptExchange(signWithPrevious, circuit.admit());
      ports.log("warn", "previous_key_used", { description: refusal.message, coze: refusal.details.coze });
      return response;
    } catch {
      // What Coze says of the key that is meant to stay is what has to be fixed.
      throw refusal;
    }
  }
}

function endAttempt(attempt: Attempt, error: unknown, hadWholeTimeout: boolean): void {
  // A timeout that the budget has shortened tells nothing about Coze, and neither does a bug.
  if (!(error instanceof TokenError) || (error.code === "upstream_timeout" && !hadWholeTimeout)) {
    attempt.released();
    return;
  }
  if (isWorthRetrying(error)) {
    attempt.failed(error.details.retryAfterSeconds);
    return;
  }
  attempt.responded();
}

function isRefusedKey(error: unknown): error is TokenError {
  if (!(error instanceof TokenError) || error.code !== "upstream_rejected") return false;
  return error.details.coze !== undefined && isKeyRefusal(error.details.coze);
}

/** The error of a client that has had as many new tokens as its limit allows. */
export function tooManyExchanges(): TokenError {
  const description = "Too many new tokens for one user. Keep a token until it ends, and try again later.";
  return new TokenError("rate_limited", description, { retryAfterSeconds: RATE_LIMIT_PERIOD_SECONDS });
}

function isWorthRetrying(error: unknown): error is TokenError {
  return error instanceof TokenError && (error.code === "upstream_unavailable" || error.code === "upstream_timeout");
}

function pauseBefore(attemptNumber: number, error: TokenError, random: number): number {
  const jitterMs = random * RETRY_BASE_MS * 2 ** (attemptNumber - 2);
  const askedMs = (error.details.retryAfterSeconds ?? 0) * 1000;
  return Math.max(jitterMs, askedMs);
}
