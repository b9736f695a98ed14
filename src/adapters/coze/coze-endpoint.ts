import { excerpt } from "../../core/excerpt.ts";
import type { Grant } from "../../core/grant/grant.ts";
import type { CozeAnswer, SignedAssertion } from "../../core/token/exchange.ts";
import { TokenError } from "../../core/token-error.ts";
import { type Fetch, readText } from "../fetch-json.ts";
import type { NamesForLog } from "../logging/digests.ts";
import { type CozeReply, judgeReply } from "./coze-response.ts";

/** RFC 7523 §2.1. */
const JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** A token answer has under a kilobyte; past this it is something else. */
const MAX_REPLY_BYTES = 64 * 1024;

export type CozeEndpointDependencies = {
  readonly tokenEndpoint: string;
  readonly fetch: Fetch;
  readonly namesForLog: NamesForLog;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/**
 * Creates the client of the Coze token endpoint. Each call sends one request, which carries the assertion as a bearer
 * token and asks for what the grant says (Coze: "OAuth JWT 授权"). It follows no redirect, as the assertion would
 * travel with it, and gives up after `timeoutMs`, the reading of the answer included.
 * @throws TokenError `upstream_…` when no usable token comes of it.
 */
export function createCozeEndpoint({ tokenEndpoint, fetch, namesForLog, now }: CozeEndpointDependencies) {
  return async function requestToken(assertion: SignedAssertion, grant: Grant, timeoutMs: number): Promise<CozeAnswer> {
    const signal = AbortSignal.timeout(timeoutMs);
    let reply: CozeReply;
    try {
      reply = await readReply(await fetch(tokenEndpoint, { ...tokenRequest(assertion.jws, grant), signal }));
    } catch (cause) {
      if (signal.aborted) {
        throw new TokenError("upstream_timeout", `Coze did not answer within ${timeoutMs} ms. Try again.`, { cause });
      }
      throw new TokenError("upstream_unavailable", "Coze could not be reached. Try again.", { cause });
    }
    const safeReply = withoutAssertion(reply, assertion.jws);
    const asked = { issuedAt: assertion.issuedAt, durationSeconds: grant.durationSeconds };
    const token = judgeReply(safeReply, asked, Math.floor(now() / 1000));
    const logNames = await namesForLog.tokenNames(token.accessToken, grant.userId);
    return { token: { ...token, logNames }, logId: safeReply.logId };
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

async function readReply(response: Response): Promise<CozeReply> {
  return {
    status: response.status,
    logId: response.headers.get("X-Tt-Logid") ?? undefined,
    retryAfter: response.headers.get("Retry-After") ?? undefined,
    text: await readText(response, MAX_REPLY_BYTES),
  };
}

/** Should a response quote the assertion, it must not travel on into an error or the log; nor a log id of any length. */
function withoutAssertion(reply: CozeReply, jws: string): CozeReply {
  // Without its signature it is worth nothing, however it was cut in pieces.
  const signature = jws.slice(jws.lastIndexOf(".") + 1);
  const withoutIt = (text: string) => text.replaceAll(jws, "[assertion]").replaceAll(signature, "[signature]");
  return {
    ...reply,
    text: reply.text && withoutIt(reply.text),
    logId: reply.logId && excerpt(withoutIt(reply.logId)),
  };
}
