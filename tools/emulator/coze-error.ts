/**
 * The HTTP status of each error code that Coze documents for its token endpoint. Only the 401 is confirmed by what users of
 * the service report; the others follow RFC 6749 §5.2 and plain HTTP.
 */
const STATUS_BY_CODE = {
  invalid_request: 400,
  unsupported_grant_type: 400,
  invalid_client: 401,
  access_deny: 403,
  internal_error: 500,
} as const;

/** The error codes that the emulator answers with. */
export type CozeErrorCode = keyof typeof STATUS_BY_CODE;

/**
 * Why an exchange is refused: the code and the message are Coze's own words and go to the client, `problem` says for the
 * reader of the exchange log what exactly was wrong.
 */
export type Refusal = { readonly refused: CozeErrorCode; readonly message: string; readonly problem: string };

/** What Coze says of a key, an app or a region that it does not know, spelling included. */
export const KID_NOT_REGISTERED = "invalid jwt: kid not been registred";

/** What Coze says of a request without an assertion. */
export const ASSERTION_MISSING = "verify jwt empty error";

/** What Coze says of an assertion that does not verify, whatever the reason. */
export const ASSERTION_INVALID = "verify jwt token error";

/** A 401: the assertion does not prove who is asking. */
export function invalidClient(message: string, problem: string): Refusal {
  return { refused: "invalid_client", message, problem };
}

/** A 400 in the documented form `invalid request: {parameter}`. */
export function invalidRequest(parameter: string, problem: string): Refusal {
  return { refused: "invalid_request", message: `invalid request: ${parameter}`, problem };
}

/** The status and the three string members of an error answer; in published answers `error` repeats the code. */
export function refusalAnswer({ refused, message }: Pick<Refusal, "refused" | "message">) {
  return {
    status: STATUS_BY_CODE[refused],
    body: { error_code: refused, error_message: message, error: refused },
  };
}
