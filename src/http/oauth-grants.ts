import type { CredentialRule } from "../core/auth/caller.ts";

/** RFC 6749 §4.4. */
export const CLIENT_CREDENTIALS = "client_credentials";
/** RFC 8693 §2.1. */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
/** RFC 7523 §2.1. */
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** RFC 8693 §3: the type of the tokens that are issued. */
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** The parameter that carries the JWT of a grant. */
export const JWT_PARAMETERS: ReadonlyMap<string, string> = new Map([
  [TOKEN_EXCHANGE, "subject_token"],
  [JWT_BEARER, "assertion"],
]);

/** The grants that clients can use where callers authenticate in these ways, whatever library they use. */
export function grantTypesFor(kinds: ReadonlySet<CredentialRule["kind"]>): readonly string[] {
  return [
    ...(kinds.has("key") || isForPublic(kinds) ? [CLIENT_CREDENTIALS] : []),
    ...(kinds.has("jwt") ? JWT_PARAMETERS.keys() : []),
  ];
}

/** How clients authenticate at the token endpoint; with `none`, by a JWT that is the grant, or not at all. */
export function authMethodsFor(kinds: ReadonlySet<CredentialRule["kind"]>): readonly string[] {
  return [
    ...(kinds.has("key") ? ["client_secret_basic"] : []),
    ...(kinds.has("jwt") || isForPublic(kinds) ? ["none"] : []),
  ];
}

function isForPublic(kinds: ReadonlySet<CredentialRule["kind"]>): boolean {
  return kinds.has("anyone") || kinds.has("anonymous");
}
