/** A reason why a command cannot go on, in sentences for the person at the terminal. Anything else thrown is a bug. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** Prints an error that has ended a command: the sentences of a Failure; all there is of a bug, with its stack. */
export function printError(error: unknown): void {
  console.error(error instanceof Failure ? error.message : error);
}
