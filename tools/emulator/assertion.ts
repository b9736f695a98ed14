import { decodeJwt, decodeProtectedHeader } from "jose";

/** What an assertion says of itself. Nothing in it is verified. */
export type DecodedAssertion = {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: { readonly iss?: unknown; readonly aud?: unknown; readonly [claim: string]: unknown };
};

/** The credential of one exchange request, before anybody has judged it. */
export type PresentedAssertion = {
  /** The text after `Bearer `, or null when there is none. */
  readonly jwt: string | null;
  /** Null when the text is not a JWT. */
  readonly decoded: DecodedAssertion | null;
};

/** Reads the assertion out of an `Authorization` header. Coze documents the form `Bearer $JWT` and no other. */
export function readAssertion(authorization: string | undefined): PresentedAssertion {
  const jwt = authorization?.match(/^Bearer +(\S.*)$/)?.[1] ?? null;
  return { jwt, decoded: jwt === null ? null : decodeAssertion(jwt) };
}

/** The app that an assertion claims to be from, unverified; undefined when it names none. */
export function issuerOf(decoded: DecodedAssertion | null): string | undefined {
  const issuer = decoded?.claims.iss;
  return typeof issuer === "string" ? issuer : undefined;
}

function decodeAssertion(jwt: string): DecodedAssertion | null {
  try {
    return { header: { ...decodeProtectedHeader(jwt) }, claims: decodeJwt(jwt) };
  } catch {
    return null;
  }
}
