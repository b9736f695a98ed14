import type { WaitUntil } from "../single-flight.ts";
import { TokenError, type TokenErrorDetails } from "../token-error.ts";
import type { Caller, JwtRule } from "./caller.ts";
import { type Claims, matchesClaims } from "./claims.ts";

/** The caller of a request, and where it is a JWT caller, what its JWT says. */
export type AuthenticatedCaller = {
  readonly caller: Caller;
  readonly claims: Claims | undefined;
  readonly kid?: string | undefined;
};

/** The verified claims of a JWT, and the id of the key that signed it. */
export type VerifiedJwt = { readonly claims: Claims; readonly kid: string | undefined };

/** What authentication needs of the world. */
export type AuthenticatorPorts = {
  /** Hashes a credential, for the matchers of keys. */
  readonly digestOf: (credential: string) => Promise<ArrayBuffer>;
  /** Creates the constant-time comparison with the SHA-256 of a key, in hexadecimal. */
  readonly createKeyMatcher: (keySha256: string) => (digest: ArrayBuffer) => boolean;
  /** The issuer that a JWT claims to be of; `undefined` for what is no JWT. */
  readonly claimedIssuer: (credential: string) => string | undefined;
  /** What a JWT says, once it is shown to be valid. `deadline` is in Unix milliseconds. */
  readonly verifyJwt: (jwt: string, rule: JwtRule, waitUntil: WaitUntil, deadline: number) => Promise<VerifiedJwt>;
};

/** Finds the caller of a request by its credential. */
export type Authenticate = (
  credential: string | undefined,
  waitUntil: WaitUntil,
  /** When the response is due, in Unix milliseconds. */
  deadline: number,
) => Promise<AuthenticatedCaller>;

/** No API key and no JWT of the known issuers is nearly as long. */
const MAX_CREDENTIAL_LENGTH = 16 * 1024;

/**
 * Creates the authenticator of these callers; the first that matches wins. A credential that is present has to match a
 * key or JWT caller: it never falls back to an anonymous one.
 * @throws TokenError `invalid_client` for a credential that matches none; `issuer_unavailable` when that is not known.
 */
export function createAuthenticator(callers: readonly Caller[], ports: AuthenticatorPorts): Authenticate {
  const open = callers.find(({ credentialRule }) => credentialRule.kind === "anyone");
  const anonymous = callers.find(({ credentialRule }) => credentialRule.kind === "anonymous");
  const keyCallers = callers.flatMap((caller) =>
    caller.credentialRule.kind === "key"
      ? [{ caller, matches: ports.createKeyMatcher(caller.credentialRule.keySha256) }]
      : [],
  );

  return async function authenticate(credential, waitUntil, deadline) {
    if (open !== undefined) return { caller: open, claims: undefined };
    if (credential === undefined) {
      if (anonymous !== undefined) return { caller: anonymous, claims: undefined };
      throw refused("A credential is required: send it in the header Authorization.");
    }
    if (credential.length > MAX_CREDENTIAL_LENGTH) throw refused("The credential is too long to be one.");

    const caller = await callerByKey(credential);
    return caller === undefined ? callerByJwt(credential, waitUntil, deadline) : { caller, claims: undefined };
  };

  async function callerByKey(credential: string): Promise<Caller | undefined> {
    if (keyCallers.length === 0) return undefined;

    const digest = await ports.digestOf(credential);
    // All are compared, so that the time tells nothing about which.
    const [match] = keyCallers.filter(({ matches }) => matches(digest));
    return match?.caller;
  }

  async function callerByJwt(credential: string, waitUntil: WaitUntil, deadline: number): Promise<AuthenticatedCaller> {
    const issuer = ports.claimedIssuer(credential);
    const candidates = callers.flatMap((caller) =>
      caller.credentialRule.kind === "jwt" && caller.credentialRule.issuer === issuer
        ? [{ caller, rule: caller.credentialRule }]
        : [],
    );
    const [first] = candidates;
    if (first === undefined) throw refused("The credential is neither an API key of this service nor a JWT it trusts.");

    // Callers of one issuer have the same keys, so one verification does for all.
    const { claims, kid } = await ports.verifyJwt(credential, first.rule, waitUntil, deadline);
    const match = candidates.find(({ rule }) => matchesClaims(rule, claims));
    if (match === undefined) {
      const jwt = { issuer: first.rule.issuer, kid };
      throw refused("The audience or the claims of the JWT are not those of any caller.", { jwt });
    }
    return { caller: match.caller, claims, kid };
  }
}

function refused(description: string, details: TokenErrorDetails = {}): TokenError {
  return new TokenError("invalid_client", description, details);
}
