import { authenticateAs, authenticateByGrant } from "../core/auth/client-authentication.ts";
import { type CozeScope, MAX_SCOPE_BYTES, parseRequestedScope } from "../core/grant/coze-scope.ts";
import { TokenError } from "../core/token-error.ts";
import { type ClaimedIdentity, readCredential } from "./admit-request.ts";
import { isBasic, parseBasicCredentials } from "./basic-credentials.ts";
import type { IncomingRequest, TimeLeft } from "./issue-token.ts";
import {
  ACCESS_TOKEN_TYPE,
  CLIENT_CREDENTIALS,
  grantTypesFor,
  JWT_PARAMETERS,
  TOKEN_EXCHANGE,
} from "./oauth-grants.ts";
import { readFormBody } from "./read-form-body.ts";
import type { ReadyService } from "./service.ts";
import type { TokenRequestBody } from "./token-request-body.ts";

type Parameters = ReadonlyMap<string, string>;

/** An OAuth token request, and what its response depends on. */
export type OAuthTokenRequest = IncomingRequest & { readonly grantType: string; readonly asksForScope: boolean };

/** What the JWT of a token exchange can be called (RFC 8693 §3). */
export const JWT_TYPES = [
  ACCESS_TOKEN_TYPE,
  "urn:ietf:params:oauth:token-type:id_token",
  "urn:ietf:params:oauth:token-type:jwt",
];

/** Parameters of RFC 8693 §2.1 that ask for another token than this service issues, so they cannot be ignored. */
const REFUSED_IN_EXCHANGE = ["actor_token", "actor_token_type", "audience", "resource"];

/** Visible ASCII without quotes and backslashes, with single spaces between (RFC 6749 §3.3). */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** Client authentication in the body (RFC 6749 §2.3.1, RFC 7521 §4.2), which this service does not support. */
const REFUSED_CREDENTIALS = ["client_secret", "client_assertion"];

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
    ...presentedCredential(grantType, parameters, request.headers, service),
    ...namedUser(parameters, request.headers),
    grantType,
    asksForScope: parameters.has("scope"),
    readBody: async () => toRequestBody(parameters),
  };
}

/** `client_credentials` is always there, because it takes what `POST /` takes. */
function readGrantType(parameters: Parameters, { credentialKinds }: ReadyService): string {
  const grantType = required(parameters, "grant_type");
  const supported = grantTypesFor(credentialKinds);
  if (grantType === CLIENT_CREDENTIALS || supported.includes(grantType)) return grantType;
  throw new TokenError("unsupported_grant_type", `The grant types of this service are: ${supported.join(", ")}.`);
}

function presentedCredential(
  grantType: string,
  parameters: Parameters,
  headers: Headers,
  { authenticate, credentialKinds }: ReadyService,
): Pick<ClaimedIdentity, "credential" | "authenticate"> {
  // docs/decisions/0005: an open service does not look at credentials.
  if (credentialKinds.has("anyone")) return { credential: undefined, authenticate };

  // Not a 401: client libraries read its challenge, and then do not show the description.
  const unsupported = REFUSED_CREDENTIALS.find((name) => parameters.has(name));
  if (unsupported !== undefined) {
    throw invalidRequest(
      `The parameter ${unsupported} is not supported: send the API key in the header Authorization, as Basic or Bearer`,
    );
  }
  const authorization = headers.get("Authorization");
  const jwtParameter = JWT_PARAMETERS.get(grantType);
  if (jwtParameter !== undefined) {
    if (grantType === TOKEN_EXCHANGE) checkTokenExchange(parameters);
    const credential = required(parameters, jwtParameter);
    if (authorization !== null)
      throw invalidRequest(`Leave out the header Authorization: ${jwtParameter} is the credential`);
    return { credential, authenticate: authenticateByGrant(authenticate) };
  }
  if (!isBasic(authorization)) return { credential: readCredential(headers), authenticate };

  const { clientId, clientSecret } = parseBasicCredentials(authorization);
  if ((parameters.get("client_id") ?? clientId) !== clientId) {
    throw invalidRequest("The parameter client_id is not the name in Authorization");
  }
  return { credential: clientSecret, authenticate: authenticateAs(clientId, authenticate) };
}

function checkTokenExchange(parameters: Parameters): void {
  const refused = REFUSED_IN_EXCHANGE.find((name) => parameters.has(name));
  if (refused !== undefined) throw invalidRequest(`The parameter ${refused} is not supported: leave it out`);
  checkType(parameters, "subject_token_type", JWT_TYPES);
  if (parameters.has("requested_token_type")) checkType(parameters, "requested_token_type", [ACCESS_TOKEN_TYPE]);
}

function checkType(parameters: Parameters, name: string, types: readonly string[]): void {
  if (!types.includes(required(parameters, name))) throw invalidRequest(`${name} must be ${types.join(" or ")}`);
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

function required(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw invalidRequest(`The parameter ${name} is missing`);
  return value;
}

function invalidRequest(sentence: string): TokenError {
  return new TokenError("invalid_request", `${sentence}.`);
}
