import * as z from "zod";

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

/** The error codes that the emulator responds with. */
export type CozeErrorCode = keyof typeof STATUS_BY_CODE;

/**
 * Why an exchange is refused: the code and the message are Coze's own and go to the client, `problem` says for the
 * reader of the exchange log what exactly was wrong.
 */
export type Refusal = { readonly refused: CozeErrorCode; readonly message: string; readonly problem: string };

/** What Coze says of a key, an app or a region that it does not know, spelling included. */
export const KID_NOT_REGISTERED = "invalid jwt: kid not been registred";

/** What Coze says of a request without an assertion. */
export const ASSERTION_MISSING = "verify jwt empty error";

/** What Coze says of an assertion that does not verify, whatever the reason. */
export const ASSERTION_INVALID = "verify jwt token error";

/** A 401: the assertion does not authenticate the client. */
export function invalidClient(message: string, problem: string): Refusal {
  return { refused: "invalid_client", message, problem };
}

/** A 400 in the documented form `invalid request: {parameter}`. */
export function invalidRequest(parameter: string, problem: string): Refusal {
  return { refused: "invalid_request", message: `invalid request: ${parameter}`, problem };
}

/** The status and the three string properties of an error response; in published ones `error` repeats the code. */
export function refusalResponse({ refused, message }: Pick<Refusal, "refused" | "message">) {
  return {
    status: STATUS_BY_CODE[refused],
    body: { error_code: refused, error_message: message, error: refused },
  };
}

/** Says in one line what is wrong, each issue after the property it concerns: `keys[0].kid: …; colour: …`. */
export function describeIssues(error: z.core.$ZodError): string {
  return error.issues.flatMap(describeIssue).join("; ");
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const property = propertyAt(issue.path);
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => `${property}: ${message}`);
  if (issue.code !== "unrecognized_keys") return [`${property}: ${issue.message}`];
  return issue.keys.map((key) => `${propertyAt([...issue.path, key])}: is not a known property`);
}

function propertyAt(path: PropertyKey[]): string {
  return path.length === 0 ? "body" : z.core.toDotPath(path);
}
