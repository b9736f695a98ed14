import { Hono } from "hono";
import { readCredential } from "./admit-request.ts";
import type { AppEnv } from "./app-env.ts";
import { methodNotAllowed } from "./error-response.ts";
import { type IncomingRequest, issueToken, type TimeLeft } from "./issue-token.ts";
import { readJsonBody } from "./read-json-body.ts";
import { jsonResponse } from "./response.ts";
import type { ReadyService, Service } from "./service.ts";
import type { TokenRequestBody } from "./token-request-body.ts";

/**
 * `POST /`: responds with an access token in Coze's format, where `expires_in` is the Unix time in seconds at which the
 * token expires. `X-User-ID` names the user, `Authorization` authenticates the caller. An optional JSON body requests a
 * shorter life, a narrower scope, a minimum remaining life, or a replacement for a token that Coze rejected.
 */
export function tokenRoute(service: Service, now: () => number): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const { result } = await issueToken(c, service, now, readRequest);
      const { accessToken, expiresAt } = result.token;
      return jsonResponse(c, { access_token: accessToken, expires_in: expiresAt, token_type: "Bearer" });
    })
    .all("/", methodNotAllowed("POST"));
}

function readRequest(request: Request, { authenticate }: ReadyService): IncomingRequest {
  return {
    credential: readCredential(request.headers),
    authenticate,
    userId: request.headers.get("X-User-ID"),
    readBody: (timeLeft) => readTokenRequestBody(request, timeLeft),
  };
}

/** Without a body, nothing special is asked for. */
async function readTokenRequestBody(request: Request, timeLeft: TimeLeft): Promise<TokenRequestBody> {
  const body = await readJsonBody(request, timeLeft());
  if (body === undefined) return {};
  const { parseTokenRequestBody } = await import("./token-request-body.ts");
  return parseTokenRequestBody(body);
}
