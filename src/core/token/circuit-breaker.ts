// Pure. The clock, the random numbers and the log are arguments.
import type { Log } from "../log.ts";
import { TokenError } from "../token-error.ts";

/** Enough in a row to tell an outage from bad luck. */
const MAX_FAILURES = 5;
/** The first pause is 1 to 1.25 s; each one after it is twice as long, up to 24 to 30 s. */
const FIRST_PAUSE_MS = 1250;
const MAX_PAUSE_MS = 30_000;
/** Pauses differ by up to this fraction, so that isolates do not all try in the same moment. */
const PAUSE_JITTER = 0.2;
/** An attempt is longer than its timeout: it signs before, and a busy isolate notices the end late. */
const LEASE_MARGIN_MS = 1000;

/** One attempt at Coze. Exactly one of these functions is called when it ends. */
export type Attempt = {
  /** Coze responded, with a token or without. */
  readonly responded: () => void;
  /** Coze was unavailable, or did not respond within a whole timeout. */
  readonly failed: (retryAfterSeconds?: number) => void;
  /** It ended without telling anything about Coze. */
  readonly released: () => void;
};

/** Decides whether an attempt may start. An error that is thrown carries the `coze` and `cause` of `lastError`, if given. */
export type CircuitBreaker = {
  /**
   * Asks without beginning an attempt.
   * @throws TokenError `upstream_unavailable` as `admit` would.
   */
  readonly check: (lastError?: TokenError) => void;
  /**
   * Begins an attempt.
   * @throws TokenError `upstream_unavailable` with `retryAfterSeconds`, at least 1, while the circuit is open.
   */
  readonly admit: (lastError?: TokenError) => Attempt;
};

export type CircuitBreakerOptions = {
  /** How long one attempt may take, in milliseconds. */
  readonly attemptTimeoutMs: number;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
};

/**
 * Creates the circuit breaker in front of Coze. Five failed attempts in a row open it. The first pause is about 1 s and
 * doubles with each failure up to 30 s, with jitter; a longer Retry-After counts instead. After the pause one attempt at
 * a time is admitted, on a lease that ends by itself, so that a lost attempt blocks nothing. A response closes the
 * circuit; a failure opens it again.
 */
export function createCircuitBreaker({ attemptTimeoutMs, now, random, log }: CircuitBreakerOptions): CircuitBreaker {
  /** In a row, while the circuit is closed. */
  let failures = 0;
  /** Since the circuit was last closed; 0 while it is. */
  let openings = 0;
  /** No attempt is admitted before. */
  let refusedUntil = 0;
  /** Attempts begun in an earlier one say nothing about now. A new one begins with each opening and each lease. */
  let generation = 0;

  return { check, admit };

  function check(lastError?: TokenError): void {
    const leftMs = refusedUntil - now();
    if (leftMs <= 0) return;
    throw new TokenError("upstream_unavailable", "Coze has failed several times in a row. Try again later.", {
      retryAfterSeconds: Math.ceil(leftMs / 1000),
      coze: lastError?.details.coze,
      cause: lastError?.details.cause,
    });
  }

  function admit(lastError?: TokenError): Attempt {
    check(lastError);
    if (openings > 0) {
      generation += 1;
      refusedUntil = now() + attemptTimeoutMs + LEASE_MARGIN_MS;
    }
    const begunIn = generation;
    const ifCurrent = (end: () => void) => {
      if (begunIn === generation) end();
    };
    return {
      responded: () => ifCurrent(close),
      failed: (retryAfterSeconds = 0) => ifCurrent(() => countFailure(retryAfterSeconds)),
      released: () => ifCurrent(endLease),
    };
  }

  function close(): void {
    if (openings > 0) log("info", "circuit_closed");
    failures = 0;
    openings = 0;
    refusedUntil = 0;
  }

  function countFailure(retryAfterSeconds: number): void {
    failures += 1;
    if (failures >= MAX_FAILURES) open(retryAfterSeconds);
  }

  function open(retryAfterSeconds: number): void {
    const backoffMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** openings) * (1 - PAUSE_JITTER * random());
    const pauseMs = Math.max(backoffMs, retryAfterSeconds * 1000);
    if (openings === 0) log("warn", "circuit_opened", { retry_after: Math.ceil(pauseMs / 1000) });
    openings += 1;
    generation += 1;
    refusedUntil = now() + pauseMs;
  }

  function endLease(): void {
    refusedUntil = 0;
  }
}
