import type { CozeScope } from "../grant/coze-scope.ts";
import type { ClaimRule } from "./claims.ts";
import type { AllowedOrigins } from "./origins.ts";

/** A named rule: how to authenticate a client, and what it may be granted. */
export type Caller = {
  readonly name: string;
  readonly credentialRule: CredentialRule;
  /** Prefix, before a colon, of `session_name` for this caller's users; "" for none. */
  readonly userPrefix: string;
  /** Web pages that may use this caller. */
  readonly origins: AllowedOrigins;
  /** The Coze scope that `bot_ids` and `permissions` make; `undefined`: it adds no restriction. */
  readonly scope: CozeScope | undefined;
  readonly maxDurationSeconds: number | undefined;
  /** The name of the binding that counts the requests of this caller as a whole; `undefined`: none does. */
  readonly limiter: string | undefined;
};

export type CredentialRule =
  /** Every client, with or without a credential: the service when CALLERS is not set. */
  | { readonly kind: "anyone" }
  /** A client without a credential. */
  | { readonly kind: "anonymous"; readonly turnstile: TurnstileRule | undefined }
  /** The holder of the API key with this SHA-256, in hexadecimal. */
  | { readonly kind: "key"; readonly keySha256: string }
  | JwtRule;

/** What a Turnstile response must say besides success (Cloudflare: "Server-side validation"). */
export type TurnstileRule = { readonly hostname: string | undefined; readonly action: string | undefined };

/** The bearer of a JWT of an issuer (OpenID Connect Core §2, RFC 9068). */
export type JwtRule = {
  readonly kind: "jwt";
  readonly issuer: string;
  /** Where the issuer's keys are; `undefined`: where its discovery document says. */
  readonly jwksUri: string | undefined;
  /** `undefined` only where the claims name the party that the token was issued to. */
  readonly audience: string | undefined;
  readonly claims: ReadonlyMap<string, ClaimRule>;
  /** The claim that becomes the user id. */
  readonly userIdClaim: string;
};

/** The implicit caller of an open service. */
export const ANYONE: Caller = {
  name: "anyone",
  credentialRule: { kind: "anyone" },
  userPrefix: "",
  origins: "*",
  scope: undefined,
  maxDurationSeconds: undefined,
  limiter: undefined,
};

/** Tells whether every client that knows the URL gets a token. */
export function isOpen(callers: readonly Caller[]): boolean {
  return callers.some(
    ({ credentialRule }) =>
      credentialRule.kind === "anyone" ||
      (credentialRule.kind === "anonymous" && credentialRule.turnstile === undefined),
  );
}
