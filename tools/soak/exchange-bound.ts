import { secondsBeforeRenewal } from "../../test/support/freshness-oracle.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { Attempt, Issues } from "./attempt.ts";
import type { Failure } from "./failure.ts";
import { keptKeyFor, keptKeyOf, type RequestRecord } from "./request-record.ts";

/** One attempt and two more. */
const ATTEMPTS_PER_EXCHANGE = 3;
/** After a renewal that failed, a token that is still of use is served for so long. */
const RENEWAL_PAUSE_SECONDS = 30;
/** The Worker counts in whole seconds, and from a moment before the request reached Coze. */
const ROUNDING_SECONDS = 2;

/** How the attempts of a run compare with what is allowed. */
export type ExchangeVerdict = {
  readonly attempts: number;
  /** What all keys together were allowed. */
  readonly bound: number;
  readonly failures: readonly Failure[];
};

/**
 * Compares the attempts of every key (an isolate, a user, a duration) with what follows from the life of tokens.
 *
 * A key's exchanges come one after the other. One that succeeds is not followed by another while its token is fresh, so in
 * T seconds 1 + T / fresh(L) of them succeed at most; a refused token allows one more. One that fails shows in its
 * request: an error, a stale token, a client that did not wait. Only a renewal behind an answer fails unseen; then there
 * was a token to renew, and the next try waits 30 s or for the end of that token. An exchange has 3 attempts at most:
 *
 *     attempts <= 3 * (2 * (1 + T / fresh(L)) + T / 30 + refused tokens + requests that ended badly)
 *
 * and, more strictly: once an isolate has answered with a token, it makes no attempt at all for that key as long as the
 * token is fresh, unless the token is refused to it, or is a makeshift ("stale") in place of one that was refused.
 */
export function judgeExchanges(
  attempts: readonly Attempt[],
  records: readonly RequestRecord[],
  issues: Issues,
  seconds: number,
): ExchangeVerdict {
  const attemptsByKey = Map.groupBy(
    attempts.filter(({ place }) => place >= 0),
    ({ place, user, durationSeconds }) => keptKeyFor(place, user, durationSeconds),
  );
  const recordsByKey = Map.groupBy(records, ({ asked }) => keptKeyOf(asked));

  const verdict = { attempts: 0, bound: 0 };
  const failures: Failure[] = [];
  for (const [key, ofKey] of attemptsByKey) {
    const asked = recordsByKey.get(key) ?? [];
    const bound = boundOf(ofKey, asked, seconds);
    verdict.attempts += ofKey.length;
    verdict.bound += bound;
    if (ofKey.length > bound) {
      failures.push({ check: "exchanges", problem: `${key} made ${ofKey.length} attempts, more than ${bound}` });
    }
    failures.push(...needlessAttempts(key, ofKey, asked, issues));
  }
  return { ...verdict, failures };
}

function boundOf(attempts: readonly Attempt[], records: readonly RequestRecord[], seconds: number): number {
  const fresh = Math.max(1, secondsBeforeRenewal(attempts[0]?.durationSeconds ?? 0) - ROUNDING_SECONDS);
  const renewals = 2 * (1 + Math.floor(seconds / fresh)) + Math.floor(seconds / RENEWAL_PAUSE_SECONDS);
  const refused = records.filter(({ asked }) => asked.rejectedToken !== undefined).length;
  const endedBadly = records.filter(({ ending, handed }) => handed === undefined || ending === "stale").length;
  return ATTEMPTS_PER_EXCHANGE * (renewals + refused + endedBadly);
}

/** The attempts that a key made although its isolate had shown that it held a fresh token. */
function needlessAttempts(
  key: string,
  attempts: readonly Attempt[],
  records: readonly RequestRecord[],
  issues: Issues,
): Failure[] {
  const failures: Failure[] = [];
  for (const [sha256, withToken] of Map.groupBy(records, ({ handed }) => handed?.sha256)) {
    const issue = issues.get(sha256 ?? "");
    // A token that somebody else put into KV is as old as its entry says.
    if (issue === undefined || issue.place === -1) continue;

    const knownFrom = Math.min(...withToken.map(({ handed }) => handed?.receivedAt ?? Number.POSITIVE_INFINITY));
    const freshUntil = issue.at + (secondsBeforeRenewal(issue.durationSeconds) - ROUNDING_SECONDS) * 1000;
    const excused = records.filter((record) => refuses(record, sha256) || isMakeshift(record, sha256));
    const excusedFrom = Math.min(...excused.map(({ sentAt }) => sentAt));
    const needless = attempts.filter(({ at }) => at > knownFrom && at < freshUntil && at < excusedFrom);
    if (needless.length > 0) {
      failures.push({
        check: "exchanges",
        ...(withToken[0] && { requestId: withToken[0].asked.id }),
        problem: `got a token that was fresh, and ${key} made ${needless.length} attempts to renew it`,
      });
    }
  }
  return failures;
}

function isMakeshift({ ending, handed }: RequestRecord, sha256: string | undefined): boolean {
  return ending === "stale" && handed?.sha256 === sha256;
}

function refuses({ asked }: RequestRecord, sha256: string | undefined): boolean {
  return asked.rejectedToken !== undefined && sha256Hex(asked.rejectedToken) === sha256;
}
