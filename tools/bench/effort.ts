/** How hard to try: the more, the longer it takes, and the less the noise of the machine shows. */
export type Effort = {
  readonly rounds: number;
  /** Rounds before that, which count for nothing: V8 compiles what is hot, and caches fill. */
  readonly warmUpRounds: number;
  /** Which part of the usual number of requests a round has. */
  readonly share: number;
};

/** A few minutes. */
export const FULL_EFFORT: Effort = { rounds: 21, warmUpRounds: 3, share: 1 };

/** Under a minute: shows that all works, and little about ratios. */
export const QUICK_EFFORT: Effort = { rounds: 5, warmUpRounds: 1, share: 0.25 };
