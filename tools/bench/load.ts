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

/** How often autocannon looks whether it is done, which by itself it does once a second. */
const LOOK_EVERY_MS = 20;

/**
 * Sends a load and waits for the last answer.
 * @returns the seconds from the first request to the last answer.
 * @throws Error unless every answer is a 2xx; what the signal was aborted with, once it is.
 */
export async function sendLoad({ url, requests, amount, connections, signal }: Load): Promise<number> {
  signal.throwIfAborted();
  const shares = sharesOf(requests, connections).values();
  const run = Promise.withResolvers<autocannon.Result>();
  let startedAt = 0;
  let answeredAt = 0;

  const cannon = autocannon(
    {
      url,
      method: "POST",
      amount,
      connections,
      sampleInt: LOOK_EVERY_MS,
      setupClient: (client) => client.setRequests([...(shares.next().value ?? [])]),
    },
    (error, result) => (error ? run.reject(error) : run.resolve(result)),
  );
  // By then it has made all requests, which takes as long as sending some of them.
  cannon.on("start", () => {
    startedAt = performance.now();
  });
  cannon.on("response", () => {
    answeredAt = performance.now();
  });
  const stop = () => cannon.stop();
  signal.addEventListener("abort", stop, { once: true });

  const result = await run.promise.finally(() => signal.removeEventListener("abort", stop));
  signal.throwIfAborted();
  if (result["2xx"] !== amount || result.errors > 0) {
    const { "2xx": answered, non2xx: refused, errors } = result;
    throw new Error(`Of ${amount} requests to ${url}, ${answered} got a token, ${refused} did not, ${errors} failed.`);
  }
  return (answeredAt - startedAt) / 1000;
}

/** What each connection sends: see {@link Load.requests}. */
export function sharesOf(requests: readonly RequestHeaders[], connections: number) {
  return Array.from({ length: connections }, (_, connection) =>
    requests
      .filter((_, index) => requests.length < connections || index % connections === connection)
      .map((headers) => ({ headers })),
  );
}
