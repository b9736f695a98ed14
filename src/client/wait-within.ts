/**
 * Settles like the work; or rejects with the reason of the signal, or with what `late` makes after the milliseconds. Leaves neither
 * a timer nor a listener behind. The work itself goes on. The signal must not have been aborted before.
 */
export function waitWithin<Result>(
  work: PromiseLike<Result> | Result,
  signal: AbortSignal | undefined,
  ms?: number,
  late?: () => unknown,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason);
    const timer = ms && setTimeout(() => reject(late?.()), ms);
    signal?.addEventListener("abort", abort);
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      });
  });
}
