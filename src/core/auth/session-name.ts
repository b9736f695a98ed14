import { TokenError } from "../token-error.ts";
import type { Caller, JwtRule } from "./caller.ts";
import type { Claims } from "./claims.ts";
import { parseUserId, type UserIdSource } from "./user-id.ts";

/** Names the Coze session that a request of a caller belongs to; `undefined` is the one without a name. */
export type SessionNameFor = (
  caller: Caller,
  /** What the client named as its user; `null` for none. */
  header: string | null,
  claims: Claims | undefined,
  /** Where it named it; by default in `X-User-ID`. */
  source?: UserIdSource,
) => string | undefined;

/**
 * Creates the rule that names sessions, so that two populations of users never meet in one. A JWT speaks for the user
 * in its claim, every other caller for the one in `X-User-ID`; where the caller has a prefix, the name is `prefix:id`,
 * or `prefix:` for a request without a user.
 * @throws TokenError `invalid_request` for a broken header; `access_denied` for a JWT without a usable user id, for a
 * header that names another user than the JWT, and for an id of a JWT or a visitor that begins like the sessions of
 * another caller. Key callers speak for every user they name.
 */
export function createSessionNames(callers: readonly Caller[]): SessionNameFor {
  const prefixes = new Set(callers.map(({ userPrefix }) => userPrefix).filter((prefix) => prefix !== ""));

  return function sessionNameFor(caller, header, claims, source = "header X-User-ID") {
    const { credentialRule, userPrefix } = caller;
    const named = parseUserId(header, source);
    const userId = credentialRule.kind === "jwt" ? verifiedUserId(credentialRule, named, claims, source) : named;
    if (userId !== undefined && credentialRule.kind !== "key" && imitatesPrefix(userId, userPrefix)) {
      throw credentialRule.kind === "jwt"
        ? unusable(credentialRule)
        : refused(source, "begins with the prefix of another caller");
    }
    return userPrefix === "" ? userId : `${userPrefix}:${userId ?? ""}`;
  };

  function imitatesPrefix(userId: string, ownPrefix: string): boolean {
    const colon = userId.indexOf(":");
    const beginning = userId.slice(0, Math.max(colon, 0));
    return beginning !== ownPrefix && prefixes.has(beginning);
  }
}

function verifiedUserId(
  rule: JwtRule,
  named: string | undefined,
  claims: Claims | undefined,
  source: UserIdSource,
): string {
  const verified = claims?.[rule.userIdClaim];
  if (typeof verified !== "string" || !isUserId(verified)) throw unusable(rule);
  if (named !== undefined && named !== verified) {
    throw refused(source, "names another user than the credential. Leave it out");
  }
  return verified;
}

function isUserId(value: string): boolean {
  try {
    return parseUserId(value) !== undefined;
  } catch {
    return false;
  }
}

function unusable({ userIdClaim }: JwtRule): TokenError {
  return new TokenError("access_denied", `The claim ${userIdClaim} of the credential is no usable user id.`);
}

function refused(source: UserIdSource, reason: string): TokenError {
  return new TokenError("access_denied", `The ${source} ${reason}.`);
}
