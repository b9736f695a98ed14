import { Hono } from "hono";
import type { Caller } from "../core/auth/caller.ts";
import { grantFor } from "../core/grant/grant.ts";
import type { Issue } from "../core/issue.ts";
import { TokenError } from "../core/token-error.ts";
import { admitRequest } from "./admit-request.ts";
import type { AppEnv } from "./app-env.ts";
import { cacheStatus, serverTiming } from "./cache-status.ts";
import { methodNotAllowed } from "./error-response.ts";
import { readJsonBody } from "./read-json-body.ts";
import { jsonResponse } from "./response.ts";
import type { ReadyService, Service } from "./service.ts";
import type { TokenRequestBody } from "./token-request-body.ts";

/** Every response is sent within 12 seconds; the last 250 ms are left for sending it. */
const RESPONSE_BUDGET_MS = 12_000 - 250;

/** Query parameters that people try for the user id, which belongs in a header because URLs end up in logs. */
const USER_PARAMETERS = ["user", "user_id", "userId", "uid"];

/**
 * `POST /`: responds with an access token in Coze's format, where `expires_in` is the Unix time in seconds at which the
 * token expires. `X-User-ID` names the user, `Authorization` authenticates the caller. An optional JSON body requests a
 * shorter life, a narrower scope, a minimum remaining life, or a replacement for a token that Coze rejected.
 */
export function tokenRoute(service: Service, now: () => number): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      if ("issues" in service) throw misconfigured(service.issues);
      const request = c.req.raw;
      const deadline = c.env.startedAt + RESPONSE_BUDGET_MS;
      const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);

      const { caller, sessionName, countExchange } = await admitRequest(c, service, waitUntil, deadline);
      refuseUserInQuery(request.url);
      const body = await readTokenRequestBody(request, deadline - now());
      const wanted = { durationSeconds: body.duration_seconds, scope: body.scope };
      const grant = grantFor(sessionName, wanted, service.limitsFor(caller));
      c.set("grant", grant);
      // A Turnstile response can be used only once, so every other check comes first.
      await verifyTurnstile(service, caller, request.headers, body["cf-turnstile-response"], deadline);

      const result = await service.getToken({
        grant,
        rejectedToken: body.rejected_token || undefined,
        minSeconds: body.minimum_seconds,
        countExchange,
        deadline,
        waitUntil,
      });
      c.set("result", result);
      const headersOut = c.get("headers");
      headersOut["Cache-Status"] = cacheStatus(result);
      if (service.serverTiming) Object.assign(headersOut, serverTiming(result.timings));
      const { accessToken, expiresAt } = result.token;
      return jsonResponse(c, { access_token: accessToken, expires_in: expiresAt, token_type: "Bearer" });
    })
    .all("/", methodNotAllowed("POST"));
}

/** Without a body, nothing special is asked for. */
async function readTokenRequestBody(request: Request, maxMs: number): Promise<TokenRequestBody> {
  const body = await readJsonBody(request, maxMs);
  if (body === undefined) return {};
  const { parseTokenRequestBody } = await import("./token-request-body.ts");
  return parseTokenRequestBody(body);
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

function misconfigured(issues: readonly Issue[]): TokenError {
  const names = issues.map(({ path }) => path).join(", ");
  return new TokenError("server_misconfigured", `The settings of this service need fixing: ${names}.`, { issues });
}
