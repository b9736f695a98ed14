/** Says in a word why a request has failed: `timeout`, the code of the network error, or its message if it has none. */
export function networkErrorCode(error: unknown): string {
  const { name, code, message, cause } = error as {
    name?: string;
    code?: unknown;
    message?: string;
    cause?: unknown;
  }; // whatever was thrown
  if (name === "TimeoutError") return "timeout"; // its code is a number
  if (typeof code === "string") return code;
  return cause === undefined ? String(message) : networkErrorCode(cause);
}
