/** A reason why the service cannot run, in sentences for the person at the terminal. Anything else thrown is a bug. */
export class Failure extends Error {
  override readonly name = "Failure";
}
