import type { Context } from "hono";
import type { Caller } from "../core/caller.ts";
import type { KeepAlive } from "../core/flights.ts";
import { RATE_LIMIT_PERIOD_SECONDS } from "../core/rate-limit.ts";
import { type ClientSource, exchangeCountKey, refusalCountKey, requestCountKey } from "../core/request-count.ts";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";
import { credentialOf } from "./credential.ts";
import { forbiddenOrigin } from "./forbidden-origin.ts";
import type { TokenIssuer } from "./service.ts";

/** Who asks, in which session, and under which keys their requests are counted. */
export type Admission = {
  readonly caller: Caller;
  readonly sessionName: string | undefined;
  readonly countExchange: () => Promise<boolean>;
};

/**
 * Admits a request for a token: authenticates its caller, checks the page it comes from, names its session and counts
 * it. One that is refused before it could be counted for a user counts for the client's network.
 * @throws TokenError `invalid_client`, `access_denied`, `invalid_request`, `rate_limited` or `issuer_unavailable`.
 */
export async function admitRequest(c: Context<AppEnv>, service: TokenIssuer, keepAlive: KeepAlive): Promise<Admission> {
  const { headers } = c.req.raw;
  const { caller, sessionName } = await authenticate(c, service, keepAlive);
  await countRequest(service, caller, sessionName, headers);
  return {
    caller,
    sessionName,
    countExchange: async () =>
      service.countExchange?.(exchangeCountKey(caller, sessionName, clientSource(headers))) ?? true,
  };
}

async function authenticate(
  c: Context<AppEnv>,
  service: TokenIssuer,
  keepAlive: KeepAlive,
): Promise<Omit<Admission, "countExchange">> {
  const { headers } = c.req.raw;
  try {
    const { caller, claims } = await service.recognise(credentialOf(headers), keepAlive);
    c.set("caller", caller);
    checkOrigin(caller, c.req.raw);
    return { caller, sessionName: service.sessionNameFor(caller, headers.get("X-User-ID"), claims) };
  } catch (error) {
    const isWithin = (await service.countRequest?.(refusalCountKey(clientSource(headers)))) ?? true;
    throw isWithin ? error : tooManyRequests();
  }
}

function checkOrigin({ name, origins }: Caller, request: Request): void {
  const forbidden = forbiddenOrigin(request, origins);
  if (forbidden === undefined) return;
  throw new TokenError("access_denied", `The caller ${name} may not ask from pages of ${forbidden}.`);
}

async function countRequest(
  { countRequest, callerCountFor }: TokenIssuer,
  caller: Caller,
  sessionName: string | undefined,
  headers: Headers,
): Promise<void> {
  const counts = [
    countRequest?.(requestCountKey(caller, sessionName, clientSource(headers))),
    callerCountFor(caller)?.(caller.name),
  ];
  if ((await Promise.all(counts)).includes(false)) throw tooManyRequests();
}

function tooManyRequests(): TokenError {
  return new TokenError("rate_limited", "Too many requests. Keep a token until it ends, and try again later.", {
    retryAfterSeconds: RATE_LIMIT_PERIOD_SECONDS,
  });
}

function clientSource(headers: Headers): ClientSource {
  return {
    address: headers.get("CF-Connecting-IP") ?? undefined,
    worker: headers.get("CF-Worker") ?? undefined,
  };
}
