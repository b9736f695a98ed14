import type { SoakRequest } from "./client.ts";

/** What a run has recorded so far. */
export type Recorder = {
  readonly tally: Tally;
  readonly failures: FailedCheck[];
  /** Of the round under way. */
  readonly requests: RequestRecord[];
  readonly revocations: Revocation[];
  /** The name of the period under way. */
  readonly period: () => string;
  readonly startPeriod: (name: string) => void;
};

/** Something that should not have happened. */
export type FailedCheck = {
  readonly check: Check;
  /** Where a single request shows it. */
  readonly requestId?: string;
  readonly message: string;
};

/** What a run checks. */
export type Check =
  /** Each request gets a response in time: a token, or one of the listed errors in the one shape. */
  | "response"
  /** A token goes to the user it was issued for, and to no other. */
  | "owner"
  /** A token in a response is valid. */
  | "life"
  /** No more exchanges than the life of tokens, failures and rejected tokens explain. */
  | "exchanges"
  /** The memory of a process does not grow without end. */
  | "memory"
  /** Once the faults are over, one request each gets every user a token. */
  | "recovery"
  /** No token, assertion or key is in the log. */
  | "log";

/** What is recorded of one request until the end of a round. Times are Unix milliseconds, unless they are called seconds. */
export type RequestRecord = {
  readonly request: SoakRequest;
  readonly sentAt: number;
  /** `hit`, `stale`, `miss`, `collapsed`, the code of an error, `left`, or `no response`. */
  readonly ending: string;
  readonly token: ReceivedToken | undefined;
};

/** A token in a response. */
export type ReceivedToken = {
  readonly sha256: string;
  readonly expiresAtSeconds: number;
  readonly receivedAt: number;
  /** When Coze had refused it, if it did. */
  readonly rejectedAt: number | undefined;
};

/** Coze revoked all tokens of a user at some moment between the two. */
export type Revocation = { readonly user: string; readonly startedAt: number; readonly endedAt: number };

/** Creates a recorder in which nothing has happened. */
export function createRecorder(): Recorder {
  let period = "healthy";
  return {
    tally: createTally(),
    failures: [],
    requests: [],
    revocations: [],
    period: () => period,
    startPeriod: (name) => {
      period = name;
    },
  };
}

/** Counts of what happened in a run, by group and name, and how long responses took. */
export type Tally = {
  readonly count: (group: Group, name: string, times?: number) => void;
  readonly of: (group: Group, name: string) => number;
  /** Names and counts of a group, the most frequent first. */
  readonly counts: (group: Group) => readonly (readonly [name: string, count: number])[];
  readonly total: (group: Group) => number;
  readonly noteLatency: (milliseconds: number) => void;
  /** The time within which such a share of the responses came; 0 while there is none. */
  readonly latencyMs: (share: number) => number;
};

/** What is counted. */
export type Group =
  | "request"
  | "outcome"
  | "cache status"
  | "error"
  | "left"
  | "armed"
  | "struck"
  | "period"
  | "KV"
  | "token";

function createTally(): Tally {
  const groups = new Map<Group, Map<string, number>>();
  const latencies: number[] = [];
  let sorted = true;

  return {
    count(group, name, times = 1) {
      const counts = groups.get(group) ?? new Map<string, number>();
      groups.set(group, counts.set(name, (counts.get(name) ?? 0) + times));
    },
    of: (group, name) => groups.get(group)?.get(name) ?? 0,
    counts: (group) => [...(groups.get(group) ?? [])].sort(([, a], [, b]) => b - a),
    total: (group) => [...(groups.get(group)?.values() ?? [])].reduce((sum, count) => sum + count, 0),
    noteLatency(milliseconds) {
      latencies.push(milliseconds);
      sorted = false;
    },
    latencyMs(share) {
      if (!sorted) latencies.sort((a, b) => a - b);
      sorted = true;
      return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
    },
  };
}
