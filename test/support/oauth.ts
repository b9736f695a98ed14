import type { TestWorker } from "./worker.ts";

export const CLIENT_CREDENTIALS = "client_credentials";
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** Form parameters: as a record, or as they are written. */
export type Parameters = Readonly<Record<string, string>> | string;

/** A POST with a form-encoded body and these headers. */
export function form(parameters: Parameters, headers: object = {}): RequestInit {
  const body = new URLSearchParams(parameters).toString();
  return { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers }, body };
}

/** Sends a token request of OAuth. */
export function requestToken(worker: TestWorker, parameters: Parameters, headers: object = {}): Promise<Response> {
  return worker.fetch("/oauth2/token", form(parameters, headers));
}

/** The header of HTTP Basic, with both parts as they are. */
export function basic(name: string, key: string): { readonly Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${name}:${key}`).toString("base64")}` };
}

/** The parameters of a token exchange. */
export function exchangeOf(jwt: string, more: object = {}): Readonly<Record<string, string>> {
  return { grant_type: TOKEN_EXCHANGE, subject_token: jwt, subject_token_type: JWT_TYPE, ...more };
}

/** The parameters of a JWT bearer grant. */
export function assertionOf(jwt: string, more: object = {}): Readonly<Record<string, string>> {
  return { grant_type: JWT_BEARER, assertion: jwt, ...more };
}
