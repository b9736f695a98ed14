import * as z from "zod";

/** Longer than any client should wait. */
const MAX_DELAY_MS = 600_000;

/** Room for a token answer and its padding member. */
const MIN_BODY_BYTES = 256;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Fetch §2.2.3: an answer with one of these statuses has no body. */
const STATUSES_WITHOUT_BODY = [204, 205, 304];

/** The server frames its answers by itself; a second opinion would only break the connection. Use `drop` for that. */
const FRAMING_HEADERS = ["connection", "content-length", "keep-alive", "transfer-encoding"];

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, "is not a header name")
  .refine((name) => !FRAMING_HEADERS.includes(name.toLowerCase()), "is set by the server itself");
const headerValue = z.string().regex(/^[\t -~\u0080-\u00ff]*$/, "is not a header value");

const faultResponseSchema = z
  .strictObject({
    status: z.int().min(200).max(599).default(200),
    headers: z.record(headerName, headerValue).default({}),
    body: z.unknown().optional(),
    body_bytes: z.int().min(MIN_BODY_BYTES).max(MAX_BODY_BYTES).optional(),
    after: z.boolean().default(false),
  })
  .refine(({ body, body_bytes }) => body === undefined || body_bytes === undefined, {
    path: ["body_bytes"],
    message: "does not go together with body",
  })
  .refine((answer) => !STATUSES_WITHOUT_BODY.includes(answer.status) || !hasBody(answer), {
    path: ["status"],
    message: "goes without a body",
  });

/** A fault as it is armed through the control API; the README says what each member does. */
export const faultSchema = z
  .strictObject({
    client_id: z.string().min(1).optional(),
    times: z.int().min(1).nullable().default(1),
    delay_ms: z.int().min(0).max(MAX_DELAY_MS).optional(),
    hang: z.literal(true).optional(),
    drop: z.literal(true).optional(),
    response: faultResponseSchema.optional(),
  })
  .refine((fault) => endings(fault) <= 1, "has more than one of hang, drop and response")
  .refine((fault) => endings(fault) > 0 || fault.delay_ms !== undefined, "has no delay_ms, hang, drop or response");

/** What happens to an exchange. */
export type Fault = z.infer<typeof faultSchema>;
/** What a fault answers. */
export type FaultResponse = z.infer<typeof faultResponseSchema>;

function hasBody({ body, body_bytes }: { body?: unknown; body_bytes?: number | undefined }): boolean {
  return body !== undefined || body_bytes !== undefined;
}

/** How many of the ways in which an exchange can end are given. */
function endings({ hang, drop, response }: { hang?: true | undefined; drop?: true | undefined; response?: unknown }) {
  return [hang, drop, response].filter((ending) => ending !== undefined).length;
}
