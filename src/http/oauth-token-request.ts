import { type CozeScope, MAX_SCOPE_BYTES, parseRequestedScope } from "../core/grant/coze-scope.ts";
import { TokenError } from "../core/token-error.ts";
import type { ClaimedIdentity } from "./admit-request.ts";
import type { IncomingRequest, TimeLeft } from "./issue-token.ts";
import { readOAuthCredential } from "./oauth-credential.ts";
import { CLIENT_CREDENTIALS, grantTypesFor } from "./oauth-grants.ts";
import { invalidRequest, type Parameters, requiredParameter } from "./oauth-parameters.ts";
import { readFormBody } from "./read-form-body.ts";
import type { ReadyService } from "./service.ts";
import type { TokenRequestBody } from "./token-request-body.ts";

/** An OAuth token request, and what its response depends on. */
export type OAuthTokenRequest = IncomingRequest & { readonly grantType: string; readonly asksForScope: boolean };

/** Visible ASCII without quotes and backslashes, with single spaces between (RFC 6749 §3.3). */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/**
 * Reads a token request of OAuth (RFC 6749 §4.4, RFC 8693 §2.1, RFC 7523 §2.1).
 * Parameters that are not known are ignored.
 * @throws TokenError `invalid_request`, `unsupported_grant_type`, `invalid_client`, `payload_too_large` or
 * `unsupported_media_type`.
 */
export async function readOAuthTokenRequest(
  request: Request,
  service: ReadyService,
  timeLeft: TimeLeft,
): Promise<OAuthTokenRequest> {
  const parameters = await readFormBody(request, timeLeft());
  const grantType = readGrantType(parameters, service);
  return {
    ...readOAuthCredential(grantType, parameters, request.headers, service),
    ...namedUser(parameters, request.headers),
    grantType,
    asksForScope: parameters.has("scope"),
    readBody: async () => toRequestBody(parameters),
  };
}

/** `client_credentials` is always there, because it takes what `POST /` takes. */
function readGrantType(parameters: Parameters, { credentialKinds }: ReadyService): string {
  const grantType = requiredParameter(parameters, "grant_type");
  const supported = grantTypesFor(credentialKinds);
  if (grantType === CLIENT_CREDENTIALS || supported.includes(grantType)) return grantType;
  throw new TokenError("unsupported_grant_type", `The grant types of this service are: ${supported.join(", ")}.`);
}

function namedUser(parameters: Parameters, headers: Headers): Pick<ClaimedIdentity, "userId" | "userIdSource"> {
  const header = headers.get("X-User-ID");
  const parameter = parameters.get("user_id");
  if (parameter === undefined) return { userId: header };
  if (header !== null && header !== parameter) {
    throw invalidRequest("The parameter user_id and X-User-ID name different users");
  }
  return { userId: parameter, userIdSource: "parameter user_id" };
}

/** What the JSON body of `POST /` can ask for too, under the same names. */
function toRequestBody(parameters: Parameters): TokenRequestBody {
  return {
    duration_seconds: wholeSeconds(parameters, "duration_seconds"),
    minimum_seconds: wholeSeconds(parameters, "minimum_seconds"),
    scope: cozeScopeFor(parameters.get("scope")),
    rejected_token: parameters.get("rejected_token"),
    "cf-turnstile-response": parameters.get("cf-turnstile-response"),
  };
}

function wholeSeconds(parameters: Parameters, name: string): number | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(value)) throw invalidRequest(`The parameter ${name} must be a whole number, at least 1`);
  return Number(value);
}

/** A scope of OAuth is a list of permissions of the account. */
function cozeScopeFor(scope: string | undefined): CozeScope | undefined {
  if (scope === undefined) return undefined;
  const permissions = SCOPE.test(scope) ? scope.split(" ") : [];
  const parsed = parseRequestedScope({ account_permission: { permission_list: permissions } });
  if ("value" in parsed) return parsed.value;
  throw new TokenError(
    "invalid_scope",
    `The scope must be permissions with one space between them, of at most ${MAX_SCOPE_BYTES} bytes.`,
  );
}
