import type { Grant } from "../../core/grant/grant.ts";
import { excerpt } from "../../core/log.ts";
import type { SignedAssertion, TokenResponse } from "../../core/token/exchange.ts";
import { TokenError } from "../../core/token-error.ts";
import { type Fetch, readText } from "../fetch-json.ts";
import type { Digester } from "../logging/digester.ts";
import { type CozeResponse, parseCozeResponse } from "./coze-response.ts";

/** RFC 7523 §2.1. */
const JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** A token response is smaller than 1 KiB. */
const MAX_RESPONSE_BYTES = 64 * 1024;

export type CozeEndpointDependencies = {
  readonly tokenEndpoint: string;
  readonly fetch: Fetch;
  readonly digester: Digester;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/**
 * Creates the client of the Coze token endpoint. Each call sends one request, with the assertion as a bearer token and
 * the grant in the body (Coze: "OAuth JWT 授权"). It does not follow redirects, which would pass on the assertion.
 * `timeoutMs` includes reading the response.
 * @throws TokenError `upstream_…` when Coze does not issue a usable token.
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
        throw new TokenError("upstream_timeout", "Coze did not respond in time. Try again.", { cause });
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
    body: await readText(response, MAX_RESPONSE_BYTES),
  };
}

/** Removes the assertion from a response that quotes it, so that it never reaches an error or the log. */
function withoutAssertion(response: CozeResponse, jws: string): CozeResponse {
  // If the response quotes only parts of the assertion, they are useless without the signature.
  const signature = jws.slice(jws.lastIndexOf(".") + 1);
  const redact = (value: string) => value.replaceAll(jws, "[assertion]").replaceAll(signature, "[signature]");
  return {
    ...response,
    body: response.body && redact(response.body),
    logId: response.logId && excerpt(redact(response.logId)),
  };
}
