import { authenticateAs, authenticateByGrant } from "../core/auth/client-authentication.ts";
import { type ClaimedIdentity, readCredential } from "./admit-request.ts";
import { isBasic, parseBasicCredentials } from "./basic-credentials.ts";
import { ACCESS_TOKEN_TYPE, JWT_PARAMETERS, TOKEN_EXCHANGE } from "./oauth-grants.ts";
import { invalidRequest, type Parameters, requiredParameter } from "./oauth-parameters.ts";
import type { ReadyService } from "./service.ts";

/** What the JWT of a token exchange can be called (RFC 8693 §3). */
export const JWT_TYPES = [
  ACCESS_TOKEN_TYPE,
  "urn:ietf:params:oauth:token-type:id_token",
  "urn:ietf:params:oauth:token-type:jwt",
];

/** Parameters of RFC 8693 §2.1 that ask for another token than this service issues, so they cannot be ignored. */
const REFUSED_IN_EXCHANGE = ["actor_token", "actor_token_type", "audience", "resource"];

/** Client authentication in the body (RFC 6749 §2.3.1, RFC 7521 §4.2), which this service does not support. */
const REFUSED_CREDENTIALS = ["client_secret", "client_assertion"];

/**
 * Reads the credential of an OAuth request, and how it authenticates: the JWT of its grant, HTTP Basic, or else what
 * `POST /` reads.
 * @throws TokenError `invalid_request` or `invalid_client`.
 */
export function readOAuthCredential(
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
    const credential = requiredParameter(parameters, jwtParameter);
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
  if (!types.includes(requiredParameter(parameters, name)))
    throw invalidRequest(`${name} must be ${types.join(" or ")}`);
}
