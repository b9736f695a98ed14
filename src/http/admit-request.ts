import type { Context } from "hono";
import type { Authenticate } from "../core/auth/authenticator.ts";
import type { Caller } from "../core/auth/caller.ts";
import { type ClientSource, exchangeCountKey, refusalCountKey, requestCountKey } from "../core/auth/request-count.ts";
import type { UserIdSource } from "../core/auth/user-id.ts";
import { RATE_LIMIT_PERIOD_SECONDS } from "../core/rate-limit.ts";
import type { WaitUntil } from "../core/single-flight.ts";
import type { CountExchange } from "../core/token/exchange.ts";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";
import { forbiddenOrigin } from "./cors.ts";
import type { ReadyService } from "./service.ts";

/** Reads the client's address only when it is needed: most counts are by user. */
type GetSource = () => ClientSource;

/** Who sends a request, as the request says it. */
export type ClaimedIdentity = {
  readonly credential: string | undefined;
  readonly authenticate: Authenticate;
  /** The user that the client names; `null` for none. */
  readonly userId: string | null;
  /** Where it does; by default in `X-User-ID`. */
  readonly userIdSource?: UserIdSource;
};

/** The caller of a request and the name of its Coze session. */
type Identity = { readonly caller: Caller; readonly sessionName: string | undefined };

/** An admitted request: the identity it claims, the one it has, and the function that counts its exchanges. */
export type Admission<Read extends ClaimedIdentity> = Identity & {
  readonly claimed: Read;
  readonly countExchange: CountExchange;
};

/**
 * Admits a token request: reads who sends it, authenticates the caller, checks the origin of the page, names the session
 * and counts the request. A request that is refused before its user is known counts against the client's network.
 * `deadline` is when the response is due, in Unix milliseconds.
 * @throws TokenError `invalid_client`, `access_denied`, `invalid_request`, `rate_limited`, `issuer_unavailable`, and
 * whatever `readIdentity` throws.
 */
export async function admitRequest<Read extends ClaimedIdentity>(
  c: Context<AppEnv>,
  service: ReadyService,
  readIdentity: () => Read | Promise<Read>,
  waitUntil: WaitUntil,
  deadline: number,
): Promise<Admission<Read>> {
  const source = () => clientSource(c.req.raw.headers);
  const identity = await identify(c, service, readIdentity, source, waitUntil, deadline);
  await refuseExcess(service, identity, source);
  const { caller, sessionName } = identity;
  return {
    ...identity,
    countExchange: async () => service.countExchange?.(exchangeCountKey(caller, sessionName, source)) ?? true,
  };
}

async function identify<Read extends ClaimedIdentity>(
  c: Context<AppEnv>,
  service: ReadyService,
  readIdentity: () => Read | Promise<Read>,
  source: GetSource,
  waitUntil: WaitUntil,
  deadline: number,
): Promise<Identity & { readonly claimed: Read }> {
  try {
    const claimed = await readIdentity();
    const { caller, claims, kid } = await claimed.authenticate(claimed.credential, waitUntil, deadline);
    c.set("caller", caller);
    if (kid !== undefined) c.set("kid", kid);
    checkOrigin(caller, c.req.raw);
    const sessionName = service.sessionNameFor(caller, claimed.userId, claims, claimed.userIdSource);
    return { claimed, caller, sessionName };
  } catch (error) {
    // Only errors of the client count against it, not a bug or an issuer that is down.
    if (!(error instanceof TokenError) || error.code === "issuer_unavailable") throw error;
    const isWithin = (await service.countRequest?.(refusalCountKey(source()))) ?? true;
    throw isWithin ? error : tooManyRequests();
  }
}

/**
 * Reads the credential of a request: `Authorization`, with or without the scheme `Bearer` (RFC 6750 §2.1), or else the
 * JWT that Cloudflare Access adds. A header that is present counts, even when it is empty.
 */
export function readCredential(headers: Headers): string | undefined {
  const credential = headers.get("Authorization") ?? headers.get("Cf-Access-Jwt-Assertion");
  return credential?.replace(/^Bearer(\s+|$)/i, "");
}

function checkOrigin({ name, origins }: Caller, request: Request): void {
  const forbidden = forbiddenOrigin(request, origins);
  if (forbidden === undefined) return;
  throw new TokenError("access_denied", `Pages of ${forbidden} may not use the caller ${name}.`);
}

/** Counts by user first, because a user over that limit must not use up the limit of the whole caller. */
async function refuseExcess(
  service: ReadyService,
  { caller, sessionName }: Identity,
  source: GetSource,
): Promise<void> {
  const { countRequest } = service;
  if (countRequest && !(await countRequest(requestCountKey(caller, sessionName, source)))) throw tooManyRequests();
  const countForCaller = service.callerCountFor(caller);
  if (countForCaller && !(await countForCaller(caller.name))) throw tooManyRequests();
}

function tooManyRequests(): TokenError {
  return new TokenError("rate_limited", "Too many requests. Reuse each token until it expires, and try again later.", {
    retryAfterSeconds: RATE_LIMIT_PERIOD_SECONDS,
  });
}

function clientSource(headers: Headers): ClientSource {
  return {
    address: headers.get("CF-Connecting-IP") ?? undefined,
    worker: headers.get("CF-Worker") ?? undefined,
  };
}
