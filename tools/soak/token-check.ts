import { sha256Hex } from "../lib/sha256.ts";
import type { Attempt, Issues } from "./attempt.ts";
import type { Failure } from "./failure.ts";
import { DEFAULT_DURATION_SECONDS, type RequestRecord, type Revocation } from "./request-record.ts";

/** A life counts from the moment of signing, before Coze got the request: no longer than this on a busy machine. */
const MAX_ISSUE_SECONDS = 3;

/** A token that has been refused is replaced once it is 10 seconds old; clocks are read twice on the way. */
const REPLACED_FROM_AGE_MS = 11_000;

/**
 * Judges every token that was handed out: issued by Coze, for exactly the user and duration that were asked for, alive,
 * accepted by Coze unless it was taken back, and not the very one that the request says Coze refuses.
 */
export function tokenFailures(
  records: readonly RequestRecord[],
  issues: Issues,
  revocations: readonly Revocation[],
): readonly Failure[] {
  return records.flatMap((record) => {
    if (record.handed === undefined) return [];
    const issue = issues.get(record.handed.sha256);
    if (issue === undefined) return [failure("owner", record, "got a token that Coze has not issued")];
    return [
      ...ownerFailures(record, issue),
      ...lifeFailures(record, issue, revocations),
      ...replacementFailures(record, issues),
    ];
  });
}

function ownerFailures(record: RequestRecord, issue: Attempt): Failure[] {
  const { user, durationSeconds = DEFAULT_DURATION_SECONDS } = record.asked;
  if (issue.user !== user) {
    return [failure("owner", record, `of ${nameOf(user)} got a token of ${nameOf(issue.user)}`)];
  }
  // Tokens that were in KV from the start have a duration of their own.
  if (issue.place === -1 || issue.durationSeconds === durationSeconds) return [];
  return [failure("owner", record, `got a token of ${issue.durationSeconds} s in place of ${durationSeconds} s`)];
}

function lifeFailures(record: RequestRecord, issue: Attempt, revocations: readonly Revocation[]): Failure[] {
  const { handed, asked } = record;
  if (handed === undefined) return [];
  const lifeSeconds = handed.expiresAtSeconds - Math.floor(issue.at / 1000);
  const { refusedAt } = handed;
  const wasAlive = refusedAt !== undefined && refusedAt < handed.expiresAtSeconds * 1000;
  const wasRevoked = revocations.some(
    ({ user, startedAt, endedAt }) => user === asked.user && endedAt >= issue.at && startedAt <= (refusedAt ?? 0),
  );
  return [
    // Tokens that were in KV from the start got their life from Coze alone.
    ...(issue.place === -1 ||
    (lifeSeconds <= issue.durationSeconds && lifeSeconds >= issue.durationSeconds - MAX_ISSUE_SECONDS)
      ? []
      : [failure("life", record, `was told a life of ${lifeSeconds} s for a token of ${issue.durationSeconds} s`)]),
    ...(wasAlive && !wasRevoked ? [failure("life", record, "got a token that Coze refuses")] : []),
  ];
}

function replacementFailures(record: RequestRecord, issues: Issues): Failure[] {
  const { rejectedToken } = record.asked;
  const rejected = rejectedToken === undefined ? undefined : sha256Hex(rejectedToken);
  if (rejected === undefined || rejected !== record.handed?.sha256) return [];
  const age = record.sentAt - (issues.get(rejected)?.at ?? record.sentAt);
  return age < REPLACED_FROM_AGE_MS ? [] : [failure("life", record, "got the very token that it says Coze refuses")];
}

function failure(check: Failure["check"], { asked }: RequestRecord, problem: string): Failure {
  return { check, requestId: asked.id, problem };
}

function nameOf(user: string | undefined): string {
  return user === undefined ? "nobody" : JSON.stringify(user);
}
