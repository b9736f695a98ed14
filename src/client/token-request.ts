import type { TokenFetch, TokenProviderErrorDetails } from "./client.ts";
import { waitWithin } from "./wait-within.ts";

/** What a request asks of the service beside a token. */
export type TokenNeed = { readonly minSeconds: number; readonly rejectedToken: string | undefined };

/** Why a request got no token. */
export type RequestFailure = TokenProviderErrorDetails;

/** The service's response to one request. */
export type RequestResult = { readonly token: string; readonly ttlSeconds: number } | RequestFailure;

/** The service responds within 12 s whatever hangs behind it. */
const REQUEST_TIMEOUT_MS = 15_000;
/** Also for a function in the options that does not return. */
export const LATE: RequestFailure = { code: "timeout", description: "No response in time." };
const NETWORK_ADVICE = "The request failed: network or CORS.";
/** Shorter than the life that is left of any token the service serves as fresh, unless tokens live under a minute. */
const UNKNOWN_TTL_SECONDS = 30;
/** The longest that a service, or a proxy before it, can keep a page from asking again. */
const MAX_RETRY_AFTER_SECONDS = 300;

/**
 * Sends one token request. A failing network is a failure with the code `network_error`, a late response `timeout`, and
 * a response that is not of this service `invalid_response`. Never rejects.
 */
export async function requestToken(
  fetch: TokenFetch,
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  { minSeconds, rejectedToken }: TokenNeed,
): Promise<RequestResult> {
  // Mini-programs have none.
  const controller = typeof AbortController === "function" ? new AbortController() : undefined;
  const body = JSON.stringify({
    minimum_seconds: Math.ceil(minSeconds) || undefined,
    rejected_token: rejectedToken || undefined,
  });
  const hasBody = body !== "{}";
  const send = async () => {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { ...headers, ...(hasBody && { "Content-Type": "application/json" }) },
      cache: "no-store",
      credentials: "omit",
      // The credential must not travel to where a redirect points.
      redirect: "manual",
      referrerPolicy: "strict-origin",
      ...(hasBody && { body }),
      ...(controller && { signal: controller.signal }),
    });
    return toRequestResult(response, await Promise.resolve(response.json()).catch(ignoreSyntaxError));
  };

  try {
    return await waitWithin(send(), undefined, REQUEST_TIMEOUT_MS, () => LATE);
  } catch (error) {
    controller?.abort();
    // The text of a foreign error may quote what was sent.
    return error === LATE ? LATE : { code: "network_error", description: NETWORK_ADVICE, cause: error };
  }
}

/** A body that is not JSON is of another service; any other error means that the connection broke in the middle of it. */
function ignoreSyntaxError(error: unknown): void {
  if (!(error instanceof SyntaxError)) throw error;
}

/** Reads no clock: the life of a token is what `Cache-Status` (RFC 9211) says, never a difference of two clocks. */
function toRequestResult({ status, headers }: Awaited<ReturnType<TokenFetch>>, json: unknown): RequestResult {
  const body = Object(json) as Record<string, unknown>; // any value has properties, of unknown types, after this
  const token = body["access_token"];
  if (status === 200 && token && typeof token === "string") {
    const ttl = /coze-token-worker *;[^,]*\bttl=(-?\d+)/.exec(headers.get("Cache-Status") ?? "")?.[1];
    return { token, ttlSeconds: Number(ttl ?? UNKNOWN_TTL_SECONDS) };
  }

  const stringOrUndefined = (value: unknown) => (typeof value === "string" ? value : undefined);
  const code = status === 200 ? undefined : stringOrUndefined(body["error"]);
  const retryAfter = Number(headers.get("Retry-After"));
  return {
    code: code ?? "invalid_response",
    description: (code && stringOrUndefined(body["error_description"])) ?? `HTTP ${status} without a token.`,
    status,
    requestId: stringOrUndefined(body["request_id"]) ?? headers.get("X-Request-Id") ?? undefined,
    // Not the form with a date, which would compare clocks.
    ...(retryAfter > 0 && { retryAfter: Math.min(retryAfter, MAX_RETRY_AFTER_SECONDS) }),
  };
}
