import * as z from "zod";

export type ReceivedResponse = { readonly status: number; readonly headers: Headers; readonly text: string };

/** What a response says, and all that is wrong with it in itself. */
export type CheckedResponse = {
  /** `hit`, `stale`, `miss`, `collapsed`, or the code of an error. */
  readonly ending: string;
  readonly token?: { readonly accessToken: string; readonly expiresAt: number };
  readonly issues: readonly string[];
};

/** Errors that may occur, and the status of each. */
export type ExpectedErrors = Readonly<Record<string, number>>;

/** The Worker responds to every request within this time, even if everything hangs. */
const RESPONSE_BUDGET_MS = 12_000;
/** For a busy machine: all processes of a run share its processors, and other tests may run beside it. */
const RESPONSE_MARGIN_MS = 4000;

/** A response that takes longer than this is late. */
export const MAX_RESPONSE_MS = RESPONSE_BUDGET_MS + RESPONSE_MARGIN_MS;

/** The requests of a run are right, and so are the settings: only Coze can fail. */
const UPSTREAM_ERRORS: ExpectedErrors = {
  upstream_rejected: 502,
  upstream_invalid_response: 502,
  upstream_unavailable: 503,
  upstream_timeout: 504,
};

const CACHE_STATUS =
  /^coze-token-worker; (hit; ttl=\d+(?:; detail=stale-on-error)?|fwd=miss; (?:stored|collapsed); ttl=\d+)$/;

const tokenBody = z.strictObject({
  access_token: z.string().min(1),
  expires_in: z.int(),
  token_type: z.literal("Bearer"),
});

/** The one shape of all errors: RFC 6749 §5.2, extended by the request id and by what is known of the cause. */
const errorBody = z.strictObject({
  error: z.string(),
  error_description: z.string().regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, "is not of the characters of RFC 6749 §5.2"),
  request_id: z.string().min(1),
  coze: z
    .strictObject({
      status: z.int(),
      error_code: z.string().optional(),
      error_message: z.string().optional(),
      log_id: z.string().optional(),
    })
    .optional(),
  problems: z.array(z.strictObject({ setting: z.string(), problem: z.string() })).optional(),
});

/** Checks a response: a valid token in time, or one of the errors that Coze can cause. Times in Unix milliseconds. */
export function checkResponse(
  requestId: string,
  response: ReceivedResponse,
  sentAt: number,
  receivedAt: number,
): CheckedResponse {
  const { headers } = response;
  const tookMs = receivedAt - sentAt;
  const issues = [
    ...(tookMs <= MAX_RESPONSE_MS ? [] : [`took ${tookMs} ms, more than ${MAX_RESPONSE_MS}`]),
    ...(headers.get("X-Request-Id") === requestId ? [] : ["has another X-Request-Id than the request"]),
    ...(headers.get("Content-Type") === "application/json" ? [] : ["is not JSON by its Content-Type"]),
    ...(headers.get("Cache-Control") === "no-store" ? [] : ["may be stored by its Cache-Control"]),
  ];
  if (response.status !== 200) {
    const error = checkErrorResponse(response, UPSTREAM_ERRORS);
    return { ending: error.code ?? "of another shape", issues: [...issues, ...error.issues] };
  }

  const body = tokenBody.safeParse(parseJson(response.text));
  const status = headers.get("Cache-Status") ?? "";
  if (!body.success || !CACHE_STATUS.test(status)) {
    return { ending: "of another shape", issues: [...issues, "is a 200 that is not a token with its Cache-Status"] };
  }
  const { access_token: accessToken, expires_in: expiresAt } = body.data;
  return {
    ending: endingFor(status),
    token: { accessToken, expiresAt },
    issues: [...issues, ...(expiresAt * 1000 > receivedAt ? [] : ["has a token that has expired"])],
  };
}

/** Compares an error response with the errors expected; `code` is `undefined` where it has none. */
export function checkErrorResponse(
  { status, headers, text }: ReceivedResponse,
  expected: ExpectedErrors,
): { readonly code: string | undefined; readonly issues: readonly string[] } {
  const body = errorBody.safeParse(parseJson(text));
  if (!body.success) {
    return { code: undefined, issues: [`is a ${status} of another shape than that of errors: ${text.slice(0, 200)}`] };
  }
  const { error: code, request_id: requestId } = body.data;
  const issues = [
    ...(Object.hasOwn(expected, code) ? [] : [`is the error ${code}, which should not occur here`]),
    ...(expected[code] === undefined || expected[code] === status ? [] : [`is a ${code} with the status ${status}`]),
    ...(requestId === headers.get("X-Request-Id") ? [] : ["has another id in the body than in X-Request-Id"]),
    ...(status !== 503 || /^[1-9]\d*$/.test(headers.get("Retry-After") ?? "") ? [] : ["does not say when to retry"]),
  ];
  return { code, issues };
}

/** The value of a JSON string, or `undefined` for any other string. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function endingFor(cacheStatus: string): string {
  if (cacheStatus.endsWith("stale-on-error")) return "stale";
  if (cacheStatus.includes("hit")) return "hit";
  return cacheStatus.includes("collapsed") ? "collapsed" : "miss";
}
