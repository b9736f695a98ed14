import fc from "fast-check";
import { credential, origin, requestId, userId } from "./head-parts.ts";
import { type Fit, mostly, type Part, worstFit } from "./part.ts";
import { LIMIT_MS, type RawOutcome } from "./raw-http.ts";
import type { OracleRequest } from "./response-oracle.ts";
import { partFor, type Variant } from "./variant.ts";

/** A request as fetch makes it, over connections that are reused. */
export type FetchRequest = OracleRequest & { readonly body: Body };

/** Strings that are sent in one piece, or for a stream one by one. */
type Body = {
  readonly fit: Fit;
  readonly type: string;
  readonly strings: readonly string[];
  readonly isStream: boolean;
};

const WHOLE: readonly Body[] = [
  { fit: "right", type: "", strings: [], isStream: false },
  { fit: "right", type: "application/json", strings: ["{}"], isStream: false },
  { fit: "wrong", type: "text/plain", strings: ["{}"], isStream: false },
  { fit: "wrong", type: "application/x-www-form-urlencoded", strings: ["duration_seconds=9"], isStream: false },
];

const STREAMED: readonly Body[] = [
  { fit: "right", type: "application/json", strings: ["{", "", "}"], isStream: true },
  {
    fit: "right",
    type: "application/json",
    strings: ["{", ...Array<string>(16).fill(" ".repeat(1000)), "}"],
    isStream: true,
  },
  { fit: "wrong", type: "application/json", strings: ['{"duration_', 'seconds"'], isStream: true },
  { fit: "wrong", type: "text/plain", strings: ["{", "}"], isStream: true },
];

/** Requests to a variant that fetch is able to make. */
export function fetchRequest(variant: Variant): fc.Arbitrary<FetchRequest> {
  const methods = mostly(fc.constant("POST"), fc.constantFrom("PUT", "PATCH", "DELETE", "PROPFIND"));
  const parts = fc.record({
    userId: userId.filter(isSendable),
    origin: origin.filter(isSendable).map((part) => partFor(variant, part)),
    credential: credential.filter(isSendable).map((part) => partFor(variant, part)),
    requestId: requestId.filter(isSendable),
  });
  return fc.tuple(methods, parts).chain(([method, parts]) => {
    const fit = worstFit([method === "POST" ? "right" : "wrong", ...Object.values(parts).map(({ fit }) => fit)]);
    // workerd closes the connection when a request is refused without its body being read; fetch, still sending a
    // stream, then reports the failed write and not the response.
    const bodies = fit === "right" ? [...WHOLE, ...STREAMED] : WHOLE;
    return fc.constantFrom(...bodies).map((body) => ({
      fit: worstFit([fit, body.fit]),
      method,
      origin: parts.origin,
      head: Object.values(parts).flatMap(({ lines }) => lines),
      isFormless: false,
      body,
    }));
  });
}

/** Sends a request, and reads the response. */
export async function sendByFetch({ port }: Variant, { method, head, body }: FetchRequest): Promise<RawOutcome> {
  const headers = parseHeaders(head);
  if (body.type !== "") headers.set("Content-Type", body.type);
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { method, headers, signal, ...requestInit(body) });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch {
    return signal.aborted ? "no response in time" : "closed without a response";
  }
}

/** Node's fetch requires `duplex` with a stream; no browser can read the response while it writes. */
function requestInit({ strings, isStream }: Body): RequestInit {
  if (strings.length === 0) return {};
  return isStream ? { body: createStream(strings), ...{ duplex: "half" } } : { body: strings.join("") };
}

function createStream(strings: readonly string[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const text of strings) controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}

function isSendable({ lines }: Part): boolean {
  return lines.every((line) => /^[\w-]+:[\t\x20-\x7e\x80-\xff]*$/.test(line));
}

function parseHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1));
  return headers;
}
