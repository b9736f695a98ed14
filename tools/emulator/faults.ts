import * as z from "zod";

/** Longer than any client should wait. */
const MAX_DELAY_MS = 600_000;

/** Room for a token response and its padding property. */
const MIN_BODY_BYTES = 256;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Fetch §2.2.3: a response with one of these statuses has no body. */
const STATUSES_WITHOUT_BODY = [204, 205, 304];

/** The server sets these itself; another value would only break the connection. Use `drop` for that. */
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
  .refine((response) => !STATUSES_WITHOUT_BODY.includes(response.status) || !hasBody(response), {
    path: ["status"],
    message: "goes without a body",
  });

/** A fault as it is armed through the control API; the README says what each property does. */
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
/** The response of a fault. */
export type FaultResponse = z.infer<typeof faultResponseSchema>;

/** A fault that waits for its exchange; `times` counts those that are left, null without end. */
export type ArmedFault = Fault & { readonly id: string };

/** The armed faults of one emulator. */
export type FaultQueue = ReturnType<typeof createFaultQueue>;

/** Creates the queue of armed faults. The oldest that fits an exchange is the one that strikes. */
export function createFaultQueue() {
  let armed: readonly ArmedFault[] = [];
  let count = 0;

  return {
    /** Puts a fault at the end of the queue, under an id of its own. */
    arm(fault: Fault): ArmedFault {
      count += 1;
      const added = { id: `fault-${count}`, ...fault };
      armed = [...armed, added];
      return added;
    },

    /** Uses up one turn of the first fault for this app; a fault without a client id is for all. */
    take(clientId: string | undefined): ArmedFault | undefined {
      const taken = armed.find((fault) => fault.client_id === undefined || fault.client_id === clientId);
      if (taken !== undefined) armed = armed.flatMap((fault) => (fault === taken ? oneLess(fault) : [fault]));
      return taken;
    },

    /** The faults that were armed for this app, or all of them, in the order in which they strike. */
    list(clientId: string | undefined): readonly ArmedFault[] {
      return armed.filter((fault) => clientId === undefined || fault.client_id === clientId);
    },

    /** Disarms the faults that were armed for this app, or all of them, and tells how many there were. */
    clear(clientId: string | undefined): number {
      const others = armed.filter((fault) => clientId !== undefined && fault.client_id !== clientId);
      const cleared = armed.length - others.length;
      armed = others;
      return cleared;
    },
  };
}

function oneLess(fault: ArmedFault): ArmedFault[] {
  if (fault.times === null) return [fault];
  return fault.times === 1 ? [] : [{ ...fault, times: fault.times - 1 }];
}

function hasBody({ body, body_bytes }: { body?: unknown; body_bytes?: number | undefined }): boolean {
  return body !== undefined || body_bytes !== undefined;
}

/** How many of the ways in which an exchange can end are given. */
function endings({ hang, drop, response }: { hang?: true | undefined; drop?: true | undefined; response?: unknown }) {
  return [hang, drop, response].filter((ending) => ending !== undefined).length;
}
