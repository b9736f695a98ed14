import * as z from "zod";

/** Errors that may occur, and the status of each. */
export type ExpectedErrors = Readonly<Record<string, number>>;

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

/** The code of an error answer, as far as it has one, and all that is wrong with the answer. */
export type ReadError = { readonly code: string | undefined; readonly faults: readonly string[] };

/** Reads an answer that is no success, and compares it with what is expected. */
export function readErrorAnswer(
  { status, headers, text }: { readonly status: number; readonly headers: Headers; readonly text: string },
  expected: ExpectedErrors,
): ReadError {
  const body = errorBody.safeParse(parseJson(text));
  if (!body.success) {
    return { code: undefined, faults: [`is a ${status} of another shape than that of errors: ${text.slice(0, 200)}`] };
  }
  const { error: code, request_id: requestId } = body.data;
  const faults = [
    ...(Object.hasOwn(expected, code) ? [] : [`is the error ${code}, which should not occur here`]),
    ...(expected[code] === undefined || expected[code] === status ? [] : [`is a ${code} with the status ${status}`]),
    ...(requestId === headers.get("X-Request-Id") ? [] : ["has another id in the body than in X-Request-Id"]),
    ...(status !== 503 || /^[1-9]\d*$/.test(headers.get("Retry-After") ?? "") ? [] : ["does not say when to retry"]),
  ];
  return { code, faults };
}

/** The value of a JSON text, or `undefined` for any other text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
