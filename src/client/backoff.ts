import { type Moment, readClocks, steadyAgeMs } from "./clock.ts";
import type { RequestFailure } from "./token-request.ts";

type Pause = { readonly from: Moment; readonly ms: number; readonly failure: RequestFailure | undefined };

/** The pause after failures, one for all callers of a token holder. */
export type Backoff = {
  /** Starts a pause, longer with each failure in a row. Without a failure it holds for background renewals only. */
  readonly start: (failure: RequestFailure | undefined) => void;
  /** Ends the pause, after a success. */
  readonly reset: () => void;
  /** The milliseconds until the pause is over; 0 or less if it is. */
  readonly leftMs: () => number;
  /** Waits until the pause is over. Rejects with its failure if that is too late for a load that started at a moment. */
  readonly wait: (startedAt: Moment) => Promise<void>;
};

/** In one load, no request begins later: a person is waiting. */
const MAX_WAIT_MS = 20_000;
/** The upper bound of the first pause; it doubles with each failure in a row. */
const FIRST_PAUSE_MS = 500;
/** The upper bound of any pause that the service does not ask for. */
const MAX_PAUSE_MS = 30_000;

/** Creates an exponential backoff with full jitter, which never pauses for less than `Retry-After`. */
export function createBackoff(toError: (failure: RequestFailure) => Error): Backoff {
  /** In a row. */
  let failures = 0;
  let pause: Pause | undefined;

  return { start, reset, leftMs, wait };

  function start(failure: RequestFailure | undefined): void {
    const backoffMs = Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
    failures += 1;
    pause = { from: readClocks(), ms: Math.max(backoffMs, (failure?.retryAfter ?? 0) * 1000), failure };
  }

  function reset(): void {
    failures = 0;
    pause = undefined;
  }

  function leftMs(): number {
    return pause ? pause.ms - steadyAgeMs(pause.from) : 0;
  }

  async function wait(startedAt: Moment): Promise<void> {
    const ms = leftMs();
    if (!pause?.failure || ms <= 0) return;
    if (steadyAgeMs(startedAt) + ms > MAX_WAIT_MS) {
      throw toError({ ...pause.failure, retryAfter: Math.ceil(ms / 1000) });
    }
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(ms)));
  }
}
