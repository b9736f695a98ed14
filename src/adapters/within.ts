/** Enough microtask turns for a promise that does no I/O to settle. */
const TURNS = 3;

/**
 * Waits for work for at most the given time. The work itself continues.
 * @throws Error when it takes longer.
 */
export async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  work.then(settle, settle);
  // A timer costs more than the rest of a response from memory, so it only starts if the work does not settle at once.
  for (let turn = 0; turn < TURNS && !isSettled; turn += 1) await undefined;
  if (isSettled) return work;

  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
