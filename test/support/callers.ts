import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { TestApp } from "./coze.ts";
import { propertiesOf } from "./worker.ts";

/** An API key as the tests use it. */
export const API_KEY = "ctw_K5pXz0m3Qy7vT1nB8cRf2wJd6hGs4aLe9uYiOxPqVtE";

/** What stands in CALLERS for an API key. */
export function sha256(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** A request with a credential, as most send it. */
export function bearer(credential: string, init: RequestInit = {}): RequestInit {
  return {
    ...init,
    headers: { ...Object.fromEntries(new Headers(init.headers)), Authorization: `Bearer ${credential}` },
  };
}

export type Refusal = { readonly status: number; readonly error: string; readonly description: string };

/** Checks that a response is a refusal in the one shape of errors, and that it cost no request to Coze. */
export async function expectRefusal(
  response: Response,
  app: TestApp,
  refusal: Refusal,
  more: object = {},
): Promise<void> {
  const { status, error, description } = refusal;
  expect(await propertiesOf(response)).toEqual({
    error,
    error_description: expect.stringContaining(description),
    request_id: response.headers.get("X-Request-Id"),
    ...more,
  });
  expect(response.status).toBe(status);
  expect(response.headers.get("WWW-Authenticate")).toBe(status === 401 ? "Bearer" : null);
  expect(response.headers.get("Retry-After")).toEqual(
    status === 503 || status === 429 ? expect.stringMatching(/^\d+$/) : null,
  );
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  expect(await app.exchanges()).toEqual([]);
}

export const invalidClient = (description: string): Refusal => ({ status: 401, error: "invalid_client", description });
export const accessDenied = (description: string): Refusal => ({ status: 403, error: "access_denied", description });
export const invalidScope = (description: string): Refusal => ({ status: 400, error: "invalid_scope", description });
export const unavailable = (description: string): Refusal => ({
  status: 503,
  error: "issuer_unavailable",
  description,
});

/** What Coze is asked for by a request that is granted, and not from the cache. */
export async function expectGrant(app: TestApp, responding: Promise<Response>): Promise<Record<string, unknown>> {
  const before = (await app.exchanges()).length;
  const response = await responding;
  expect(await response.text()).toMatch(/^\{"access_token":"czs_/);
  expect(response.status).toBe(200);
  const exchanges = await app.exchanges();
  expect(exchanges).toHaveLength(before + 1);
  const { grant_type: _grantType, ...requested } = exchanges.at(-1)?.body ?? {};
  return { ...requested, session_name: exchanges.at(-1)?.assertion.claims["session_name"] };
}
