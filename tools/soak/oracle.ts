import { sha256Hex } from "../lib/sha256.ts";
import type { Deployment } from "./deployment.ts";
import {
  type AttemptsByToken,
  checkExchanges,
  DEFAULT_DURATION_SECONDS,
  type ExchangeAttempt,
  readAttempt,
} from "./exchange-bound.ts";
import type { FaultKind } from "./fault-schedule.ts";
import type { FailedCheck, Recorder, RequestRecord, Revocation } from "./recorder.ts";

/** What the emulator's list said in all rounds so far. */
export type ExchangeTotals = {
  /** By the Workers. */
  readonly attempts: number;
  /** So many are allowed. */
  readonly bound: number;
  /** Tokens that these attempts brought, lost ones included. */
  readonly issued: number;
};

export type Oracle = {
  /** Compares what was recorded in a round of so many seconds with the emulator's list, and clears both. */
  readonly checkRound: (armed: Map<string, FaultKind>, seconds: number) => Promise<void>;
  readonly totals: () => ExchangeTotals;
};

/** Tokens of earlier rounds are served in later ones as well. */
const MAX_LIFE_MS = 86_400_000;

/** A life counts from the moment of signing, before Coze got the request: no longer than this on a busy machine. */
const MAX_ISSUE_SECONDS = 3;

/** A rejected token is replaced once it is 10 seconds old; clocks are read twice on the way. */
const MIN_REPLACED_AGE_MS = 11_000;

/** Creates the oracle of a run, which remembers over all rounds which tokens were issued to whom. */
export function createOracle({ coze, places }: Deployment, recorder: Recorder): Oracle {
  const { requests, revocations, failures, tally } = recorder;
  const kids = places.map(({ kid }) => kid);
  const issued = new Map<string, ExchangeAttempt>();
  let totals: ExchangeTotals = { attempts: 0, bound: 0, issued: 0 };

  return {
    async checkRound(armed, seconds) {
      const exchanges = await coze.exchanges();
      const attempts = exchanges.map((exchange) => readAttempt(exchange, kids));
      for (const [sha256, { at }] of issued) if (at < Date.now() - MAX_LIFE_MS) issued.delete(sha256);
      for (const attempt of attempts) if (attempt.sha256 !== null) issued.set(attempt.sha256, attempt);

      const checked = checkExchanges(attempts, requests, issued, seconds);
      failures.push(...checkTokens(requests, issued, revocations), ...checked.failures);
      totals = {
        attempts: totals.attempts + checked.attempts,
        bound: totals.bound + checked.bound,
        issued: totals.issued + attempts.filter(({ place, sha256 }) => place >= 0 && sha256 !== null).length,
      };
      for (const { fault } of exchanges) tally.count("struck", armed.get(fault ?? "") ?? "none");

      requests.splice(0);
      armed.clear();
      await coze.forgetExchanges();
    },
    totals: () => totals,
  };
}

/**
 * Checks every token in a response: issued by Coze, for exactly the user and duration of the request, valid, accepted by
 * Coze unless it was revoked, and not the very one that the request rejects.
 */
export function checkTokens(
  requests: readonly RequestRecord[],
  issued: AttemptsByToken,
  revocations: readonly Revocation[],
): readonly FailedCheck[] {
  return requests.flatMap((record) => {
    if (record.token === undefined) return [];
    const exchange = issued.get(record.token.sha256);
    if (exchange === undefined) return [failure("owner", record, "got a token that Coze has not issued")];
    return [
      ...ownerFailures(record, exchange),
      ...lifeFailures(record, exchange, revocations),
      ...replacementFailures(record, issued),
    ];
  });
}

function ownerFailures(record: RequestRecord, exchange: ExchangeAttempt): FailedCheck[] {
  const { user, durationSeconds = DEFAULT_DURATION_SECONDS } = record.request;
  if (exchange.user !== user) {
    return [failure("owner", record, `of ${describeUser(user)} got a token of ${describeUser(exchange.user)}`)];
  }
  // Tokens that were in KV from the start have a duration of their own.
  if (exchange.place === -1 || exchange.durationSeconds === durationSeconds) return [];
  return [failure("owner", record, `got a token of ${exchange.durationSeconds} s instead of ${durationSeconds} s`)];
}

function lifeFailures(
  record: RequestRecord,
  exchange: ExchangeAttempt,
  revocations: readonly Revocation[],
): FailedCheck[] {
  const { token, request } = record;
  if (token === undefined) return [];
  const lifeSeconds = token.expiresAtSeconds - Math.floor(exchange.at / 1000);
  const { rejectedAt } = token;
  const wasValid = rejectedAt !== undefined && rejectedAt < token.expiresAtSeconds * 1000;
  const wasRevoked = revocations.some(
    ({ user, startedAt, endedAt }) => user === request.user && endedAt >= exchange.at && startedAt <= (rejectedAt ?? 0),
  );
  return [
    // Tokens that were in KV from the start got their life from Coze alone.
    ...(exchange.place === -1 ||
    (lifeSeconds <= exchange.durationSeconds && lifeSeconds >= exchange.durationSeconds - MAX_ISSUE_SECONDS)
      ? []
      : [failure("life", record, `got a life of ${lifeSeconds} s for a token of ${exchange.durationSeconds} s`)]),
    ...(wasValid && !wasRevoked ? [failure("life", record, "got a token that Coze rejects")] : []),
  ];
}

function replacementFailures(record: RequestRecord, issued: AttemptsByToken): FailedCheck[] {
  const { rejectedToken } = record.request;
  const rejected = rejectedToken === undefined ? undefined : sha256Hex(rejectedToken);
  if (rejected === undefined || rejected !== record.token?.sha256) return [];
  const age = record.sentAt - (issued.get(rejected)?.at ?? record.sentAt);
  return age < MIN_REPLACED_AGE_MS ? [] : [failure("life", record, "got the very token that it rejects")];
}

function failure(check: FailedCheck["check"], { request }: RequestRecord, message: string): FailedCheck {
  return { check, requestId: request.id, message };
}

function describeUser(user: string | undefined): string {
  return user === undefined ? "no user" : JSON.stringify(user);
}
