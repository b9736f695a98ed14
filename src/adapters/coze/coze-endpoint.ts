import type { Grant } from "../../core/grant/grant.ts";
import { excerpt } from "../../core/log.ts";
import type { SignedAssertion, TokenResponse } from "../../core/token/exchange.ts";
import { TokenError } from "../../core/token-error.ts";
import { type Fetch, readText } from "../fetch-json.ts";
import type { Digester } from "../logging/digester.ts";
import { type CozeResponse, parseCozeResponse } from "./coze-response.ts";

/** RFC 7523 §2.1. */
const JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** A token answer has under a kilobyte; past this it is something else. */
const MAX_RESPONSE_BYTES = 64 * 1024;

export type CozeEndpointDependencies = {
  readonly tokenEndpoint: string;
  readonly fetch: Fetch;
  readonly digester: Digester;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/**
 * Creates the client of the Coze token endpoint. Each call sends one request, which carries the assertion as a bearer
 * token and asks for what the grant says (Coze: "OAuth JWT 授权"). It follows no redirect, as the assertion would
 * travel with it, and gives up after `timeoutMs`, reading the response included.
 * @throws TokenError `upstream_…` when no usable token comes of it.
 */
export function createCozeEndpoint({ tokenEndpoint, fetch, digester, now }: CozeEndpointDependencies) {
  return async function requestToken(
    assertion: SignedAssertion,
    grant: Grant,
    timeoutMs: number,
  ): Promise<TokenResponse> {
    const signal = AbortSignal.timeout(timeoutMs);
    let response: CozeResponse;
    try {
      response = await readResponse(await fetch(tokenEndpoint, { ...tokenRequest(assertion.jws, grant), signal }));
    } catch (cause) {
      if (signal.aborted) {
        throw new TokenError("upstream_timeout", `Coze did not answer within ${timeoutMs} ms. Try again.`, { cause });
      }
      throw new TokenError("upstream_unavailable", "Coze could not be reached. Try again.", { cause });
    }
    const safeResponse = withoutAssertion(response, assertion.jws);
    const requested = { issuedAt: assertion.issuedAt, durationSeconds: grant.durationSeconds };
    const token = parseCozeResponse(safeResponse, requested, Math.floor(now() / 1000));
    const digests = await digester.tokenDigests(token.accessToken, grant.userId);
    return { token: { ...token, digests }, logId: safeResponse.logId };
  };
}

function tokenRequest(assertion: string, grant: Grant): RequestInit {
  return {
    method: "POST",
    headers: {
      Authorization: `Bearer ${assertion}`,
      "Content-Type": "application/json",
      Accept: "application/json",
      "User-Agent": "coze-token-worker",
    },
    body: JSON.stringify({
      grant_type: JWT_BEARER_GRANT,
      duration_seconds: grant.durationSeconds,
      ...(grant.scope && { scope: grant.scope }),
    }),
    redirect: "manual",
  };
}

async function readResponse(response: Response): Promise<CozeResponse> {
  return {
    status: response.status,
    logId: response.headers.get("X-Tt-Logid") ?? undefined,
    retryAfter: response.headers.get("Retry-After") ?? undefined,
    text: await readText(response, MAX_RESPONSE_BYTES),
  };
}

/** Should a response quote the assertion, it must not travel on into an error or the log; nor a log id of any length. */
function withoutAssertion(response: CozeResponse, jws: string): CozeResponse {
  // Without its signature it is worth nothing, however it was cut in pieces.
  const signature = jws.slice(jws.lastIndexOf(".") + 1);
  const withoutIt = (text: string) => text.replaceAll(jws, "[assertion]").replaceAll(signature, "[signature]");
  return {
    ...response,
    text: response.text && withoutIt(response.text),
    logId: response.logId && excerpt(withoutIt(response.logId)),
  };
}
