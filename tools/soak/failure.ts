/** What a run checks. */
export type Check =
  /** Each request gets an answer in time: a token, or one of the listed errors in the one shape. */
  | "answer"
  /** A token goes to the user it was issued for, and to nobody else. */
  | "owner"
  /** A token that is handed out is alive. */
  | "life"
  /** No more exchanges than the life of tokens, failures and refusals explain. */
  | "exchanges"
  /** The memory of a process does not grow without end. */
  | "memory"
  /** Once the troubles are over, one request each gets every user a token. */
  | "recovery"
  /** No token, assertion or key is in the log. */
  | "log";

/** Something that should not have happened. */
export type Failure = {
  readonly check: Check;
  /** Where a single request shows it. */
  readonly requestId?: string;
  readonly problem: string;
};
