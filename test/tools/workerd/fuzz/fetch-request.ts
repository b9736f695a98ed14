import fc from "fast-check";
import type { Door } from "./door.ts";
import { credential, origin, requestId, userId } from "./head-parts.ts";
import { type JudgedRequest, partAt } from "./judged-request.ts";
import { type Fit, mostly, type Part, worstOf } from "./part.ts";
import type { RawOutcome } from "./raw-http.ts";

/** A request as fetch makes it, over connections that are used again. */
export type FetchRequest = JudgedRequest & { readonly body: () => NamedBody };

/** A body made anew for each use, as a stream can be read once only. */
type NamedBody = { readonly name: string; readonly fit: Fit; readonly init: RequestInit };

const LIMIT_MS = 15_000;
const JSON_TYPE = { "Content-Type": "application/json" };
const EMPTY_JSON = new TextEncoder().encode("{}");

const RIGHT_BODIES: readonly (() => NamedBody)[] = [
  () => ({ name: "none", fit: "right", init: {} }),
  () => ({ name: "an empty text", fit: "right", init: { body: "" } }),
  () => ({ name: "a text", fit: "right", init: { body: "{}", headers: JSON_TYPE } }),
  () => ({ name: "bytes", fit: "right", init: { body: EMPTY_JSON, headers: JSON_TYPE } }),
  () => ({ name: "a blob", fit: "right", init: { body: new Blob(["{}"], { type: "application/json" }) } }),
  () => ({ name: "a stream", fit: "right", init: streamed("{", "", "}") }),
];

const WRONG_BODIES: readonly (() => NamedBody)[] = [
  () => ({ name: "a text of another type", fit: "wrong", init: { body: "{}" } }),
  () => ({ name: "a form", fit: "wrong", init: { body: new URLSearchParams({ duration_seconds: "9" }) } }),
  () => ({ name: "a form with files", fit: "wrong", init: { body: formWithFile() } }),
  () => ({ name: "a stream of half a JSON text", fit: "wrong", init: streamed('{"duration_', 'seconds"') }),
  () => ({
    name: "a stream of more than 16 KiB",
    fit: "wrong",
    init: streamed(...Array<string>(20).fill(" ".repeat(1000))),
  }),
];

/** Requests to a door that fetch is able to make. */
export function fetchRequest(door: Door): fc.Arbitrary<FetchRequest> {
  const parts = fc.record({
    userId: userId.filter(isSendable),
    origin: origin.filter(isSendable).map((part) => partAt(door, part)),
    credential: credential.filter(isSendable).map((part) => partAt(door, part)),
    requestId: requestId.filter(isSendable),
  });
  const bodies = mostly(fc.constantFrom(...RIGHT_BODIES), fc.constantFrom(...WRONG_BODIES));
  const methods = mostly(fc.constant("POST"), fc.constantFrom("PUT", "PATCH", "DELETE", "PROPFIND"));
  return fc.tuple(methods, parts, bodies).map(([method, parts, body]) => ({
    fit: worstOf([method === "POST" ? "right" : "wrong", body().fit, ...Object.values(parts).map(({ fit }) => fit)]),
    method,
    origin: parts.origin,
    head: Object.values(parts).flatMap(({ lines }) => lines),
    isUnfinished: false,
    body: Object.assign(body, { [fc.toStringMethod]: () => body().name }),
  }));
}

/** Sends a request, and reads the answer. */
export async function sendByFetch({ port }: Door, { method, head, body }: FetchRequest): Promise<RawOutcome> {
  const { init } = body();
  const headers = headersOf(head);
  for (const [name, value] of new Headers(init.headers)) headers.append(name, value);
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { ...init, method, headers, signal, redirect: "manual" });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch {
    return signal.aborted ? "no answer in time" : "closed without an answer";
  }
}

function isSendable({ lines }: Part): boolean {
  try {
    headersOf(lines);
    return true;
  } catch {
    return false;
  }
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1));
  return headers;
}

function streamed(...chunks: readonly string[]): RequestInit {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  // Node's fetch asks for it; no browser could read the answer while it writes.
  return { body, headers: JSON_TYPE, ...{ duplex: "half" } };
}

function formWithFile(): FormData {
  const form = new FormData();
  form.append("file", new Blob(["{}"], { type: "application/json" }));
  return form;
}
