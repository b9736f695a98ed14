import type { TokenFetch } from "../../src/client/client.ts";

/** A token request as the service received it. */
export type ReceivedRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly init: Parameters<TokenFetch>[1];
};

/** How the service responds. Left out, a new token that lives 900 s, at once. */
export type PlannedResponse = {
  readonly afterMs?: number;
  readonly token?: string;
  readonly ttl?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything else than a token; a string is not JSON. */
  readonly body?: unknown;
  /** The network fails. */
  readonly drops?: true;
};

/** Stands for the service and the network before it, by a `fetch` that has only what the client may use. */
export function createServiceStandIn() {
  const requests: ReceivedRequest[] = [];
  const planned: PlannedResponse[] = [];
  let issued = 0;

  const fetch: TokenFetch = async (url, init) => {
    const { method, headers, body, ...rest } = init;
    requests.push({
      url,
      headers,
      body: body === undefined ? undefined : JSON.parse(body),
      init: { method, headers, ...rest },
    });
    const response = planned.shift() ?? {};
    if (response.afterMs !== undefined) await new Promise((resolve) => setTimeout(resolve, response.afterMs));
    if (response.drops) throw new TypeError("fetch failed");
    return respond(response);
  };

  function respond(response: PlannedResponse): Awaited<ReturnType<TokenFetch>> {
    const { token, ttl = 900, status = 200, headers = {} } = response;
    const all: Record<string, string> = { "Cache-Status": `coze-token-worker; hit; ttl=${ttl}`, ...headers };
    if (token === undefined && !("body" in response)) issued += 1;
    const success = { access_token: token ?? `token-${issued}`, expires_in: 1, token_type: "Bearer" };
    const json = "body" in response ? response.body : success;
    return {
      status,
      headers: { get: (name) => all[name] ?? null },
      json: () => (typeof json === "string" ? Promise.reject(new SyntaxError("not JSON")) : Promise.resolve(json)),
    };
  }

  /** The next requests get these responses, in order. */
  const plan = (...next: readonly PlannedResponse[]) => void planned.push(...next);
  /** An error response of the service. */
  const error = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): PlannedResponse => ({
    status,
    headers,
    body: { error: code, error_description: `It is ${code}.`, request_id: "request-1" },
  });
  return { fetch, requests, plan, error };
}
