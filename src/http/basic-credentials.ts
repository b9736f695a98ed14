import { TokenError } from "../core/token-error.ts";
import { decodeUtf8 } from "./utf8.ts";

/** What `WWW-Authenticate` says to a client that used HTTP Basic (RFC 6749 §5.2, RFC 7617 §2). */
export const BASIC_CHALLENGE = 'Basic realm="coze-token-worker"';

/** The name and the key of a caller. */
export type BasicCredentials = { readonly clientId: string; readonly clientSecret: string };

/** Tells whether an `Authorization` header uses HTTP Basic. */
export function isBasic(authorization: string | null): authorization is string {
  return /^Basic(\s|$)/i.test(authorization ?? "");
}

/**
 * Parses the HTTP Basic credentials of an OAuth client: base64 of name, colon and key, where both are form-encoded
 * (RFC 6749 §2.3.1).
 * @throws TokenError `invalid_client` for anything else.
 */
export function parseBasicCredentials(authorization: string): BasicCredentials {
  try {
    const base64 = authorization.replace(/^Basic\s*/i, "");
    const userPass = decodeUtf8(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    const colon = userPass.indexOf(":");
    if (colon >= 0) {
      return {
        clientId: formDecode(userPass.slice(0, colon)),
        clientSecret: formDecode(userPass.slice(colon + 1)),
      };
    }
  } catch {
    // Not base64, UTF-8 or percent-encoding. The error is not passed on as `cause`, as it may quote the key.
  }
  throw new TokenError(
    "invalid_client",
    "The header Authorization must be Basic and the base64 of name:key, both percent-encoded.",
  );
}

function formDecode(part: string): string {
  return decodeURIComponent(part.replaceAll("+", " "));
}
