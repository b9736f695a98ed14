/** Pure. No I/O. */

/** HTTP's status, and the codes of Coze's APIs for an invalid token, a missing permission and a failed token. */
const REJECTION_CODES = ["401", "4100", "4101", "700012006"];
/** What is left where an SDK puts the response into a sentence: its body, its codes, axios' or the status text. */
const REJECTION_TEXT = /\b(?:code|status|statusCode)\W{1,4}(?:401|410[01]|700012006)\b|\bunauthorized\b/i;
const CODE_PROPERTIES = ["status", "statusCode", "code"];
/** Where SDKs, axios, `wx.request` and events of a stream or WebSocket have the response. */
const INNER_PROPERTIES = ["message", "rawError", "response", "data", "error", "cause"];

/**
 * Returns whether an error, a response, its body or an event says that Coze rejected a token. Errors of this service do
 * not: they say that it issued none.
 */
export function isRejection(value: unknown, depth = 4): boolean {
  if (typeof value === "string") return REJECTION_TEXT.test(value);
  if (typeof value !== "object" || value === null || depth === 0) return false;

  const properties = value as Readonly<Record<string, unknown>>; // any object has properties, of unknown types
  if (properties["name"] === "TokenProviderError") return false;
  return (
    CODE_PROPERTIES.some((name) => REJECTION_CODES.includes(String(properties[name]))) ||
    INNER_PROPERTIES.some((name) => isRejection(properties[name], depth - 1))
  );
}
