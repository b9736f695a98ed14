import { deepStrictEqual } from "node:assert/strict";
import autocannon from "autocannon";

/** The headers of one request. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Requests to send: `POST /` without a body. */
export type Load = {
  readonly url: string;
  /** Fewer than there are connections: each connection sends all of them in turn. Otherwise: each its own share. */
  readonly requests: readonly RequestHeaders[];
  /** How many requests are sent in all. */
  readonly amount: number;
  /** How many requests are under way at any time. */
  readonly connections: number;
  readonly signal: AbortSignal;
};

/** How often autocannon checks whether it is done; its default is once a second. */
const CHECK_EVERY_MS = 20;

/**
 * Sends a load and waits for the last response.
 * @returns the seconds from the first request to the last response.
 * @throws Error unless every response is a 2xx; what the signal was aborted with, once it is.
 */
export async function sendLoad({ url, requests, amount, connections, signal }: Load): Promise<number> {
  signal.throwIfAborted();
  const shares = sharesFor(requests, connections).values();
  const run = Promise.withResolvers<autocannon.Result>();
  let startedAt = 0;
  let respondedAt = 0;

  const cannon = autocannon(
    {
      url,
      method: "POST",
      amount,
      connections,
      sampleInt: CHECK_EVERY_MS,
      setupClient: (client) => client.setRequests([...(shares.next().value ?? [])]),
    },
    (error, result) => (error ? run.reject(error) : run.resolve(result)),
  );
  // By then it has built all requests, which takes as long as sending some of them.
  cannon.on("start", () => {
    startedAt = performance.now();
  });
  cannon.on("response", () => {
    respondedAt = performance.now();
  });
  const stop = () => cannon.stop();
  signal.addEventListener("abort", stop, { once: true });

  const result = await run.promise.finally(() => signal.removeEventListener("abort", stop));
  signal.throwIfAborted();
  if (result["2xx"] !== amount || result.errors > 0) {
    const { "2xx": succeeded, non2xx: refused, errors } = result;
    throw new Error(`Of ${amount} requests to ${url}, ${succeeded} got a token, ${refused} did not, ${errors} failed.`);
  }
  return (respondedAt - startedAt) / 1000;
}

/** What each connection sends: see {@link Load.requests}. */
export function sharesFor(requests: readonly RequestHeaders[], connections: number) {
  return Array.from({ length: connections }, (_, connection) =>
    requests
      .filter((_, index) => requests.length < connections || index % connections === connection)
      .map((headers) => ({ headers })),
  );
}

/** A response that a baseline can repeat. */
export type RepeatableResponse = { readonly json: object; readonly headers: Readonly<Record<string, string>> };

/** Headers that every JSON response has by itself. */
const JSON_HEADERS = new Set(["content-type", "content-length"]);

/** Sends one request, and reads the response. */
export async function readResponse(url: string, requestHeaders: RequestHeaders): Promise<RepeatableResponse> {
  const response = await fetch(url, { method: "POST", headers: requestHeaders });
  if (!response.ok) throw new Error(`${url} responded with ${response.status}: ${await response.text()}`);
  return {
    json: (await response.json()) as object, // a token
    headers: Object.fromEntries([...response.headers].filter(([name]) => !JSON_HEADERS.has(name))),
  };
}

/** Makes sure that a baseline responds just as the Worker did: it may save nothing by sending less. */
export async function checkSameResponse(
  url: string,
  requestHeaders: RequestHeaders,
  expected: RepeatableResponse,
): Promise<void> {
  deepStrictEqual(await readResponse(url, requestHeaders), expected);
}
