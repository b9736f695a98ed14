import type { Context } from "hono";
import type { Caller } from "../core/auth/caller.ts";
import { type Grant, grantFor } from "../core/grant/grant.ts";
import type { TokenResult } from "../core/token/token-request.ts";
import { TokenError } from "../core/token-error.ts";
import { admitRequest, type ClaimedIdentity } from "./admit-request.ts";
import type { AppEnv } from "./app-env.ts";
import { cacheStatus, serverTiming } from "./cache-status.ts";
import { type ReadyService, requireReady, type Service } from "./service.ts";
import type { TokenRequestBody } from "./token-request-body.ts";

/** Every response is sent within 12 seconds; the last 250 ms are left for sending it. */
export const RESPONSE_BUDGET_MS = 12_000 - 250;

/** Query parameters that people try for the user id, which belongs in a header because URLs end up in logs. */
const USER_PARAMETERS = ["user", "user_id", "userId", "uid"];

/** Milliseconds until the response is due. */
export type TimeLeft = () => number;

/** A token request as its route reads it. */
export type IncomingRequest = ClaimedIdentity & {
  /** Reads what is asked for, once the request is admitted. */
  readonly readBody: (timeLeft: TimeLeft) => Promise<TokenRequestBody>;
};

/** Reads a token request. What it throws counts against the client's network. */
export type ReadRequest<Read extends IncomingRequest> = (
  request: Request,
  service: ReadyService,
  timeLeft: TimeLeft,
) => Read | Promise<Read>;

/** A token that was issued, and the request and the grant that it was issued for. */
export type IssuedToken<Read extends IncomingRequest> = {
  readonly request: Read;
  readonly grant: Grant;
  readonly result: TokenResult;
};

/**
 * Issues a token for a request that `read` reads: the one path behind every route that responds with a token. Sets the
 * headers that say where the token comes from.
 * @throws TokenError with any code except those of paths and methods.
 */
export async function issueToken<Read extends IncomingRequest>(
  c: Context<AppEnv>,
  service: Service,
  now: () => number,
  read: ReadRequest<Read>,
): Promise<IssuedToken<Read>> {
  const ready = requireReady(service);
  const { raw } = c.req;
  const deadline = c.env.startedAt + RESPONSE_BUDGET_MS;
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);

  const timeLeft = () => deadline - now();
  const readIdentity = () => read(raw, ready, timeLeft);
  const admission = await admitRequest(c, ready, readIdentity, waitUntil, deadline);
  const { caller, sessionName, countExchange, claimed: request } = admission;
  refuseUserInQuery(raw.url);
  const body = await request.readBody(timeLeft);
  const grantRequest = { durationSeconds: body.duration_seconds, scope: body.scope };
  const grant = grantFor(sessionName, grantRequest, ready.limitsFor(caller));
  c.set("grant", grant);
  // A Turnstile response can be used only once, so every other check comes first.
  await verifyTurnstile(ready, caller, raw.headers, body["cf-turnstile-response"], deadline);

  const result = await ready.getToken({
    grant,
    rejectedToken: body.rejected_token || undefined,
    minSeconds: body.minimum_seconds,
    countExchange,
    deadline,
    waitUntil,
  });
  c.set("result", result);
  const responseHeaders = c.get("headers");
  responseHeaders["Cache-Status"] = cacheStatus(result);
  if (ready.serverTiming) Object.assign(responseHeaders, serverTiming(result.timings));
  return { request, grant, result };
}

function refuseUserInQuery(url: string): void {
  const start = url.indexOf("?");
  if (start === -1) return;
  // Not `new URL`, which throws when the Host header is invalid.
  const query = new URLSearchParams(url.slice(start));
  const parameter = USER_PARAMETERS.find((name) => query.has(name));
  if (parameter === undefined) return;
  throw new TokenError(
    "invalid_request",
    `The user id does not belong in the URL: send ${parameter} as the header X-User-ID.`,
  );
}

/** Verifies the Turnstile response, from the header or else the body, if the caller's rule requires one. */
async function verifyTurnstile(
  service: ReadyService,
  caller: Caller,
  headers: Headers,
  fromBody: string | undefined,
  deadline: number,
): Promise<void> {
  const rule = caller.credentialRule.kind === "anonymous" ? caller.credentialRule.turnstile : undefined;
  if (rule === undefined) return;
  const response = headers.get("cf-turnstile-response") ?? fromBody;
  await service.verifyTurnstile(rule, response, headers.get("CF-Connecting-IP") ?? undefined, deadline);
}
