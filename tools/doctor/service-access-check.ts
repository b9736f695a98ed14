import * as z from "zod";
import { deployCommand, setupCommand } from "../lib/commands.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { isJwt } from "../lib/is-jwt.ts";
import { describeServiceRefusal, parseServiceRefusal } from "../lib/service-refusal.ts";
import type { Send, ServiceResponse } from "./service-client.ts";

/** Names a user without conversations, the same each time, so that a cached token can serve the checks. */
export const DOCTOR_USER = { "X-User-ID": "coze-token-worker-doctor" } as const;

const token = z.strictObject({
  access_token: z.string().min(1),
  expires_in: z.int().positive(),
  token_type: z.literal("Bearer"),
});

/** What the checks of the access to a deployed service may use. */
export type ServiceAccessOptions = {
  /** Of a caller: an API key or a JWT. */
  readonly credential?: string | undefined;
  /** The environment of wrangler.toml that was deployed, if it is known. */
  readonly env?: string | undefined;
  /** Whether the CALLERS of wrangler.toml keep out those who have no credential; `undefined` if that is not known. */
  readonly isClosed?: boolean | undefined;
};

/** What the service has responded to requests for a token. */
export type TokenResponses = {
  readonly anonymous: ServiceResponse;
  /** `undefined` if there is no credential. */
  readonly authenticated: ServiceResponse | undefined;
};

/** Requests a token without a credential and, if there is one, with it. */
export async function requestTokens(send: Send, credential: string | undefined): Promise<TokenResponses> {
  const anonymous = await send("POST", "/", DOCTOR_USER);
  if (credential === undefined) return { anonymous, authenticated: undefined };
  // A JWT names its user.
  const user = isJwt(credential) ? {} : DOCTOR_USER;
  return { anonymous, authenticated: await send("POST", "/", { Authorization: `Bearer ${credential}`, ...user }) };
}

/** Checks that access is what /health and wrangler.toml say, and that callers get a token. */
export function checkServiceAccess(
  { anonymous, authenticated }: TokenResponses,
  access: "open" | "closed",
  { env, isClosed = false }: ServiceAccessOptions,
): readonly Finding[] {
  if (access === "open") return [isClosed ? unexpectedlyOpen(env) : open(env), checkToken(anonymous)];
  return [checkClosed(anonymous), authenticated === undefined ? notRequested() : checkToken(authenticated)];
}

function open(env: string | undefined): Finding {
  const hint = `If not everyone should get tokens: ${setupCommand(env, "--access key")}, or --access issuer`;
  return passed("access", "open: everyone who knows the URL gets tokens of the app", hint);
}

function unexpectedlyOpen(env: string | undefined): Finding {
  const detail = "open: everyone who knows the URL gets tokens, though CALLERS in wrangler.toml keeps them out";
  return failed("access", detail, `The service has other settings. Deploy these: ${deployCommand(env)}`);
}

function checkClosed({ status, body }: ServiceResponse): Finding {
  if (status === 429) {
    return passed("access", "/health says closed; requests are rate limited now", "Wait a minute, and run this again.");
  }
  if (status >= 400 && status < 500)
    return passed("access", `closed: without a credential there is ${status}, and no token`);
  const { error_description = "" } = parseServiceRefusal(body) ?? {};
  const detail = `/health says closed, but a request without a credential gets ${status}. ${error_description}`;
  return failed("access", detail.trim(), "Look at CALLERS of the deployed Worker, and deploy again.");
}

function notRequested(): Finding {
  return passed("token", "none was requested", "To request one, put an API key or a JWT of a caller into CREDENTIAL.");
}

/** Judges the response to a request that should get a token. */
function checkToken({ status, headers, body }: ServiceResponse): Finding {
  const issued = token.safeParse(body);
  if (status === 200 && issued.success) {
    const left = issued.data.expires_in - Math.floor(Date.now() / 1000);
    const evidence = headers.get("Cache-Status") ?? "no Cache-Status";
    if (left > 0) return passed("token", `POST / issues one that is valid for ${left} s`, "", evidence);
    const detail = `POST / sends one that expired ${-left} s ago: expires_in must be a Unix time in the future`;
    const hint = "Set the clock of this machine. If it is right, find the rule or proxy that changes responses.";
    return failed("token", detail, hint);
  }
  const refusal = parseServiceRefusal(body);
  if (refusal === undefined) {
    const detail = `POST / responds with ${status}, and neither a token nor an error of this service`;
    return failed("token", detail, "Remove the Cloudflare rule, page or proxy that replaces responses.");
  }
  const logId = refusal.coze?.log_id;
  const detail = describeServiceRefusal(status, refusal);
  return failed("token", detail, hintFor(refusal.error), logId && `log id ${logId}`);
}

function hintFor(error: string): string {
  if (error.startsWith("upstream_")) return "Run npm run doctor -- --live with the same settings.";
  if (error === "invalid_client") return "Put an API key or a JWT of a deployed caller into CREDENTIAL.";
  return "README.md, Errors, says what to do.";
}
