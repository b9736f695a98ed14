import { secondsBeforeRenewal } from "../../test/support/freshness-oracle.ts";
import type { Exchange } from "../emulator/exchange-log.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { FailedCheck, RequestRecord } from "./recorder.ts";

/** What the emulator's list of exchanges tells of an exchange. */
export type ExchangeAttempt = {
  /** When it arrived, in Unix milliseconds. */
  readonly at: number;
  /** The index of the place that made it, or -1 for anyone else. */
  readonly place: number;
  readonly user: string | undefined;
  readonly durationSeconds: number;
  /** Of the token that was issued, whether or not it ever arrived. */
  readonly sha256: string | null;
};

/** The attempts that ended with a token, by its SHA-256. */
export type AttemptsByToken = ReadonlyMap<string, ExchangeAttempt>;

/** What the Worker grants to a request without a duration. */
export const DEFAULT_DURATION_SECONDS = 900;

/** One attempt and two more. */
const ATTEMPTS_PER_EXCHANGE = 3;
/** After a renewal that failed, a token that is still usable is served for so long. */
const RENEWAL_PAUSE_SECONDS = 30;
/** The Worker counts in whole seconds, and from a moment before the request reached Coze. */
const ROUNDING_SECONDS = 2;

/** Reads an entry of the emulator's list; `kids` are those of the places. */
export function readAttempt(
  { at, assertion, body, access_token_sha256 }: Exchange,
  kids: readonly string[],
): ExchangeAttempt {
  const user = assertion?.claims["session_name"];
  const asked = typeof body === "object" && body !== null && "duration_seconds" in body ? body.duration_seconds : null;
  return {
    at,
    place: kids.indexOf(String(assertion?.header["kid"])),
    user: user === undefined ? undefined : String(user),
    durationSeconds: typeof asked === "number" ? asked : DEFAULT_DURATION_SECONDS,
    sha256: access_token_sha256,
  };
}

/**
 * Compares the attempts of every key (an isolate, a user, a duration) with what follows from the life of tokens; `bound` is
 * what all keys together were allowed.
 *
 * A key's exchanges come one after the other. One that succeeds is not followed by another while its token is fresh, so in
 * T seconds 1 + T / fresh(L) of them succeed at most; a rejected token allows one more. One that fails shows in its
 * request: an error, a stale token, a client that did not wait. Only a renewal behind a response fails unseen; then there
 * was a token to renew, and the next try waits 30 s or for the end of that token. An exchange has 3 attempts at most:
 *
 *     attempts <= 3 * (2 * (1 + T / fresh(L)) + T / 30 + rejected tokens + requests that ended badly)
 *
 * and, more strictly: once an isolate has responded with a token, it makes no attempt at all for that key as long as the
 * token is fresh, unless the token is rejected, or was served stale instead of one that was.
 */
export function checkExchanges(
  attempts: readonly ExchangeAttempt[],
  requests: readonly RequestRecord[],
  issued: AttemptsByToken,
  seconds: number,
): { readonly attempts: number; readonly bound: number; readonly failures: readonly FailedCheck[] } {
  const attemptsByKey = Map.groupBy(
    attempts.filter(({ place }) => place >= 0),
    keyFor,
  );
  const requestsByKey = Map.groupBy(requests, ({ request }) => keyFor(request));

  const totals = { attempts: 0, bound: 0 };
  const failures: FailedCheck[] = [];
  for (const [key, ofKey] of attemptsByKey) {
    const sent = requestsByKey.get(key) ?? [];
    const bound = boundFor(ofKey, sent, seconds);
    totals.attempts += ofKey.length;
    totals.bound += bound;
    if (ofKey.length > bound) {
      failures.push({ check: "exchanges", message: `${key} made ${ofKey.length} attempts, more than ${bound}` });
    }
    failures.push(...needlessAttempts(key, ofKey, sent, issued));
  }
  return { ...totals, failures };
}

type CacheKeyParts = Pick<ExchangeAttempt, "place" | "user"> & { readonly durationSeconds: number | undefined };

/** Tells apart the tokens that one isolate has in memory: by the isolate, the user and the duration. */
function keyFor({ place, user, durationSeconds = DEFAULT_DURATION_SECONDS }: CacheKeyParts): string {
  return JSON.stringify([place, user ?? null, durationSeconds]);
}

function boundFor(attempts: readonly ExchangeAttempt[], requests: readonly RequestRecord[], seconds: number): number {
  const fresh = Math.max(1, secondsBeforeRenewal(attempts[0]?.durationSeconds ?? 0) - ROUNDING_SECONDS);
  const renewals = 2 * (1 + Math.floor(seconds / fresh)) + Math.floor(seconds / RENEWAL_PAUSE_SECONDS);
  const rejected = requests.filter(({ request }) => request.rejectedToken !== undefined).length;
  const endedBadly = requests.filter(({ ending, token }) => token === undefined || ending === "stale").length;
  return ATTEMPTS_PER_EXCHANGE * (renewals + rejected + endedBadly);
}

/** The attempts that a key made although its isolate had shown that it had a fresh token. */
function needlessAttempts(
  key: string,
  attempts: readonly ExchangeAttempt[],
  requests: readonly RequestRecord[],
  issued: AttemptsByToken,
): FailedCheck[] {
  const failures: FailedCheck[] = [];
  for (const [sha256, withToken] of Map.groupBy(requests, ({ token }) => token?.sha256)) {
    const exchange = issued.get(sha256 ?? "");
    // A token that somebody else put into KV is as old as its entry says.
    if (exchange === undefined || exchange.place === -1) continue;

    const knownAt = Math.min(...withToken.map(({ token }) => token?.receivedAt ?? Number.POSITIVE_INFINITY));
    const freshUntil = exchange.at + (secondsBeforeRenewal(exchange.durationSeconds) - ROUNDING_SECONDS) * 1000;
    const excused = requests.filter((record) => rejects(record, sha256) || isStale(record, sha256));
    const excusedAt = Math.min(...excused.map(({ sentAt }) => sentAt));
    const needless = attempts.filter(({ at }) => at > knownAt && at < freshUntil && at < excusedAt);
    if (needless.length > 0) {
      failures.push({
        check: "exchanges",
        ...(withToken[0] && { requestId: withToken[0].request.id }),
        message: `got a token that was fresh, and ${key} made ${needless.length} attempts to renew it`,
      });
    }
  }
  return failures;
}

function isStale({ ending, token }: RequestRecord, sha256: string | undefined): boolean {
  return ending === "stale" && token?.sha256 === sha256;
}

function rejects({ request }: RequestRecord, sha256: string | undefined): boolean {
  return request.rejectedToken !== undefined && sha256Hex(request.rejectedToken) === sha256;
}
