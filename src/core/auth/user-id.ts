import { TokenError } from "../token-error.ts";

/** `X-User-ID` becomes a JWT claim and part of a cache key; Coze documents no maximum, so this is a modest one. */
export const MAX_USER_ID_LENGTH = 128;

/** Where a request names its user. */
export type UserIdSource = "header X-User-ID" | "parameter user_id";

/** Visible ASCII (RFC 20), spaces inside but not at the ends. */
export const VISIBLE_ASCII = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Reads the user id that becomes `session_name`, 1 to 128 visible ASCII characters. `source` says where it stands.
 * `null`, a header that is absent, is the session shared by all who name no user: `undefined`.
 * @throws TokenError `invalid_request` for anything else, so that a broken id never ends up in the shared session.
 */
export function parseUserId(header: string | null, source: UserIdSource = "header X-User-ID"): string | undefined {
  if (header === null) return undefined;

  if (header === "") throw refused(source, "is empty. Leave the header out, or name a user");
  if (header.length > MAX_USER_ID_LENGTH) throw refused(source, `is longer than ${MAX_USER_ID_LENGTH} characters`);
  if (!VISIBLE_ASCII.test(header)) {
    throw refused(source, "holds characters other than visible ASCII. Percent-encode them, as encodeURIComponent does");
  }
  return header;
}

function refused(source: UserIdSource, reason: string): TokenError {
  return new TokenError("invalid_request", `The ${source} ${reason}.`);
}
