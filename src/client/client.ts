/**
 * The token provider of coze-token-worker: gets short-lived Coze access tokens from the service, for browsers,
 * mini-programs, Node.js and any other runtime with `fetch`. It has no dependencies.
 *
 * This file declares everything that the module exports, because `/client.d.ts` is made from this file alone.
 *
 * @example In a page, straight from the service
 * ```js
 * import { createTokenProvider } from "https://token.example.com/client.js";
 * import { CozeAPI } from "@coze/api";
 *
 * const getToken = createTokenProvider();
 * const client = new CozeAPI({ baseURL: "https://api.coze.cn", token: getToken });
 * ```
 * @module
 */

import { endpointFor } from "./endpoint.ts";
import { createTokenHolder, type TokenHolder } from "./token-holder.ts";
import { isRejection } from "./token-rejection.ts";
import { LATE, type RequestFailure, type RequestResult, requestToken, type TokenNeed } from "./token-request.ts";
import { getVisitorId } from "./visitor-id.ts";
import { waitWithin } from "./wait-within.ts";

/** A string, or an (async) function that returns it and is called each time it is needed. */
export type StringSource = string | (() => string | null | undefined | Promise<string | null | undefined>);

/** The options of {@link createTokenProvider}. */
export type TokenProviderOptions = {
  /**
   * The address of the service, such as `https://token.example.com/`. Default: the service that this module was imported
   * from, as `/client.js`. Required where the module was bundled or copied, and with a credential also where it comes from
   * the page's own server, so that no credential goes to another server than the service.
   */
  readonly endpoint?: string | undefined;
  /**
   * The user whose conversation the token opens: 1 to 128 visible ASCII characters (`encodeURIComponent` anything else).
   * Evaluated at each call: after a change, no token of the previous user is returned. Without this option and without a
   * credential, a random id is used that `localStorage` keeps, so that two visitors never share a conversation. In a
   * runtime without `localStorage` it lasts as long as the page or process, and without `crypto` it is required.
   */
  readonly userId?: StringSource | undefined;
  /**
   * The JWT of the logged-in user, or an API key (never in a page). Evaluated at each call, so a function that returns
   * the current session's JWT follows its renewals. After a change, no token of the previous credential is returned.
   * While there is none, calls reject with `no_identity`: a page for visitors too has a second provider for them.
   */
  readonly credential?: StringSource | undefined;
  /** The response of the Turnstile widget. Each works once, so pass a function that gets a fresh one per request. */
  readonly turnstile?: StringSource | undefined;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: TokenFetch | undefined;
  /** Is told why a token could not be renewed while the cached one still serves. Nothing needs to be done. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

/** What this module needs of `fetch`: small enough for a stand-in over `wx.request` or the like. */
export type TokenFetch = (
  url: string,
  init: {
    method: "POST";
    headers: Record<string, string>;
    body?: string;
    signal?: AbortSignal;
    cache: "no-store";
    credentials: "omit";
    redirect: "manual";
    referrerPolicy: "strict-origin";
  },
) => PromiseLike<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): PromiseLike<unknown>;
}>;

/** What a caller of {@link GetToken} may ask for. */
export type GetTokenOptions = {
  /**
   * The seconds that the token must live on, for a long connection or upload. A cached token with less is renewed first.
   * The service grants at most half of its token duration, and if renewing fails the cached token is still returned.
   */
  readonly minSeconds?: number | undefined;
  /**
   * The token that Coze rejected, see {@link isTokenRejection}. It is replaced, and never returned again unless the
   * service itself insists: a token of less than 10 seconds lacks a permission, which no other token would have.
   */
  readonly rejectedToken?: string | undefined;
  /** Rejects this call with the signal's reason. Other callers that wait for the same request are not affected. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Gets a Coze access token: the cached one while it lives, renewed in the background in the last quarter of its life.
 * Concurrent calls make one request. Always settles. Rejects with {@link TokenProviderError}, with the reason of the
 * signal, or with what the functions in the options throw. Arguments that are not {@link GetTokenOptions} are ignored,
 * so it can be handed as it is to anything that takes a token function.
 */
export type GetToken = (options?: GetTokenOptions) => Promise<string>;

/** The properties of a {@link TokenProviderError}. */
export type TokenProviderErrorDetails = {
  readonly code: string;
  readonly description: string;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
};

/** Why there is no token. The description is for people, the code for programs. */
export class TokenProviderError extends Error {
  override readonly name = "TokenProviderError";
  /**
   * The `error` of the service, such as `invalid_client`, `access_denied`, `rate_limited`, `upstream_unavailable`; or
   * `network_error` (no response; `cause` is what `fetch` threw), `timeout` (too late a response, or a function in the
   * options that did not return), `no_identity` (the user id or credential in the options is empty now,
   * or not one line of ASCII),
   * `invalid_response` (a response that is not of this service), `token_expired` (the token had ended on arrival),
   * `token_rejected` (the service returns only tokens that Coze rejected).
   */
  declare readonly code: string;
  /** A sentence that a person can act on. */
  declare readonly description: string;
  /** The HTTP status, if there was a response. */
  declare readonly status: number | undefined;
  /** Identifies the request in the service's log. */
  declare readonly requestId: string | undefined;
  /** The seconds until the service may be asked again, if known. Earlier calls wait for it, or fail without a request. */
  declare readonly retryAfter: number | undefined;

  constructor(details: TokenProviderErrorDetails) {
    super(`${details.code}: ${details.description}`);
    Object.assign(this, details);
  }
}

/** A function in the options may wait for a person, who logs in or solves a challenge. */
const SOURCE_TIMEOUT_MS = 60_000;
/** Enough for a page; bounds what a server remembers that gets tokens for many users. */
const MAX_IDENTITIES = 100;
/** The service accepts no more, and grants half its token duration at most. */
const MAX_MIN_SECONDS = 86_399;

/** With a scheme, and without a password, which errors of `fetch` would quote. */
const ENDPOINT = /^https?:\/\/[^@]+$/;
/** One line of ASCII; `fetch` trims it. Its own error would quote the value. */
const HEADER_VALUE = /^\s*[ -~]*\s*$/;
const NO_IDENTITY = { code: "no_identity", description: "User id or credential is missing, or not ASCII." };

/**
 * Creates a token provider. It starts no timer and no listener of its own: the life of a token is checked at each call,
 * so a machine that slept is right at once. Its own clock may be wrong, and may be set while it runs.
 * 4xx responses reject at once. 429, 5xx and network failures are tried again, up to 4 requests in 20 s, with growing
 * random pauses and never before `Retry-After`.
 * @throws TypeError if there is no `endpoint` and the module was not imported from the service as `/client.js`, or if the
 * endpoint is no address.
 *
 * @example For logged-in users, here of Supabase
 * ```js
 * const getToken = createTokenProvider({
 *   endpoint: "https://token.example.com/",
 *   credential: async () => (await supabase.auth.getSession()).data.session?.access_token,
 * });
 * ```
 * @example A WebSocket client of `@coze/api`
 * ```js
 * // The SDK puts the token into the address once, and would connect again with the same address. So turn that off: each
 * // `create` (and each `connect` of a new `WsChatClient`) asks for a token, and `minSeconds` lets it live long enough.
 * const client = new CozeAPI({ token: () => getToken({ minSeconds: 300 }), websocketOptions: { maxRetries: 0 } });
 * async function connect() {
 *   const socket = await client.websockets.chat.create({ bot_id });
 *   socket.onclose = connect; // after a pause, in real life
 * }
 * ```
 */
export function createTokenProvider(options: TokenProviderOptions = {}): GetToken {
  const hasCredential = options.credential !== undefined;
  const userSource = options.userId ?? (hasCredential ? undefined : getVisitorId);
  const endpoint = options.endpoint || endpointFor(import.meta.url, hasCredential) || "";
  if (!ENDPOINT.test(endpoint)) throw new TypeError("endpoint must be the URL of the service.");
  const holders = new Map<string, TokenHolder>();

  return getToken;

  async function getToken(request?: GetTokenOptions): Promise<string> {
    const { minSeconds, rejectedToken, signal }: GetTokenOptions = Object(request); // whatever an SDK passes
    const need = {
      minSeconds: Math.min(Math.max(Number(minSeconds) || 0, 0), MAX_MIN_SECONDS),
      rejectedToken: typeof rejectedToken === "string" ? rejectedToken : undefined,
    };
    if (signal?.aborted) throw signal.reason;
    return waitWithin(getFor(need), signal?.addEventListener ? signal : undefined);
  }

  async function getFor(need: TokenNeed): Promise<string> {
    const [userId, credential] = await Promise.all([evaluate(userSource), evaluate(options.credential)]);
    // Somebody who has logged out, or not in yet, must not become a visitor unnoticed.
    const isNobody = !(hasCredential ? credential : userId);
    if (isNobody || !HEADER_VALUE.test([userId, credential].join(""))) throw toError(NO_IDENTITY);
    return holderFor(userId, credential).get(need);
  }

  function holderFor(userId: string | undefined, credential: string | undefined): TokenHolder {
    const identity = JSON.stringify([userId, credential]);
    let holder = holders.get(identity);
    if (!holder) {
      for (const [oldest, { isBusy }] of holders) {
        if (holders.size >= MAX_IDENTITIES && !isBusy()) holders.delete(oldest);
      }
      const headers = {
        ...(userId && { "X-User-ID": userId }),
        ...(credential && { Authorization: `Bearer ${credential}` }),
      };
      holder = createTokenHolder({
        request: (need) => request(headers, need),
        toError,
        onError: (error) => tell(options.onError, error),
      });
      holders.set(identity, holder);
    }
    return holder;
  }

  async function request(headers: Readonly<Record<string, string>>, need: TokenNeed): Promise<RequestResult> {
    const turnstile = await evaluate(options.turnstile);
    return requestToken(
      options.fetch ?? fetch,
      endpoint,
      { ...headers, ...(turnstile && { "cf-turnstile-response": turnstile }) },
      need,
    );
  }
}

/**
 * Returns whether something says that Coze rejected a token: a `Response`, the body of one, an error that `@coze/api`,
 * `@coze/chat-sdk`, the uni-app and Taro packages or axios throw, or an error event of a stream or WebSocket. That is
 * the status 401, or one of Coze's codes 4100, 4101 and 700012006, which can come with the status 200.
 * A {@link TokenProviderError} is none: it says that the service issued no token.
 *
 * @example
 * ```js
 * const token = await getToken();
 * try {
 *   return await client.users.me();
 * } catch (error) {
 *   if (!isTokenRejection(error)) throw error;
 *   await getToken({ rejectedToken: token });
 *   return await client.users.me();
 * }
 * ```
 */
export function isTokenRejection(errorOrResponse: unknown): boolean {
  return isRejection(errorOrResponse);
}

/** The `auth` of `CozeWebSDK.WebChatClient` and of `@coze/chat-sdk`. */
export type CozeChatAuth = {
  readonly type: "token";
  readonly token: string;
  readonly onRefreshToken: (oldToken?: string) => Promise<string>;
};

/**
 * Gets a token and returns the `auth` of a chat, which asks for another when Coze rejects it. Neither the promise nor
 * `onRefreshToken` ever rejects, because these SDKs keep a rejected promise and never ask again: on an error `onError` is
 * told and the token is empty, with which WebChatClient asks again at its next call. `@coze/chat-sdk` does so too after
 * its start, but shows an error when it is started without a token. Its chat flow component takes the same function under
 * another name: `auth={{ type: "external", token: auth.token, refreshToken: auth.onRefreshToken }}`.
 *
 * @example
 * ```js
 * new CozeWebSDK.WebChatClient({ config: { bot_id }, auth: await cozeChatAuth(getToken, { onError: console.error }) });
 * ```
 */
export async function cozeChatAuth(
  getToken: GetToken,
  { onError }: { readonly onError?: ((error: unknown) => void) | undefined } = {},
): Promise<CozeChatAuth> {
  const onRefreshToken = async (oldToken?: string): Promise<string> => {
    try {
      return await getToken({ rejectedToken: oldToken });
    } catch (error) {
      tell(onError, error);
      return "";
    }
  };
  return { type: "token", token: await onRefreshToken(), onRefreshToken };
}

/**
 * Returns the `onBeforeAPICall` of `@coze/uniapp-api` and `@coze/taro-api`, which put a token into every request. They
 * would send a token function as its source text, so their `token` must be a string; it may be empty. When there is no
 * token, they throw an error of their own, with the status 500 and the message of the {@link TokenProviderError}.
 *
 * @example
 * ```js
 * const client = new CozeAPI({ token: "", onBeforeAPICall: onBeforeAPICall(getToken) });
 * ```
 */
export function onBeforeAPICall(getToken: GetToken): () => Promise<{ token: string }> {
  return async () => ({ token: await getToken() });
}

function toError(failure: RequestFailure): TokenProviderError {
  return new TokenProviderError(failure);
}

/** An error in the callback must not fail the call. */
function tell(onError: TokenProviderOptions["onError"], error: unknown): void {
  try {
    onError?.(error);
  } catch {
    // There is nobody else to tell.
  }
}

async function evaluate(source: StringSource | undefined): Promise<string | undefined> {
  if (typeof source !== "function") return source;
  return (await waitWithin(source(), undefined, SOURCE_TIMEOUT_MS, () => toError(LATE))) || undefined;
}
