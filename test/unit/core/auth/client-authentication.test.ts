import { expect, it, vi } from "vitest";
import type { AuthenticatedCaller } from "../../../../src/core/auth/authenticator.ts";
import { ANYONE } from "../../../../src/core/auth/caller.ts";
import { authenticateAs, authenticateByGrant } from "../../../../src/core/auth/client-authentication.ts";
import { TokenError } from "../../../../src/core/token-error.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";

const script: AuthenticatedCaller = { caller: { ...ANYONE, name: "script" }, claims: undefined };
const web: AuthenticatedCaller = { caller: { ...ANYONE, credentialRule: JWT_RULE }, claims: { sub: "ada" } };
const waitUntil = () => {};

it("authenticates the caller of the credential when the client names it", async () => {
  const authenticate = vi.fn(async () => script);
  expect(await authenticateAs("script", authenticate)("key", waitUntil, 12_000)).toBe(script);
  expect(authenticate).toHaveBeenCalledExactlyOnceWith("key", waitUntil, 12_000);
  await expect(authenticateAs("other", authenticate)("key", waitUntil, 12_000)).rejects.toMatchObject({
    code: "invalid_client",
    message: "The client_id is not the name of the caller that the API key belongs to.",
  });
});

it("authenticates the caller of a JWT that is the grant, and of no other credential", async () => {
  const authenticate = vi.fn(async () => web);
  expect(await authenticateByGrant(authenticate)("jwt", waitUntil, 12_000)).toBe(web);
  expect(authenticate).toHaveBeenCalledExactlyOnceWith("jwt", waitUntil, 12_000);
  await expect(authenticateByGrant(async () => script)("key", waitUntil, 12_000)).rejects.toMatchObject({
    code: "invalid_grant",
    message: "The credential is not a JWT. Send an API key in the header Authorization.",
  });
});

it("refuses a wrong credential that is the grant with invalid_grant, and passes on any other error", async () => {
  const details = { cause: "why" };
  const wrong = new TokenError("invalid_client", "It has expired.", details);
  const refusedBy = (error: unknown) => authenticateByGrant(() => Promise.reject(error))("jwt", waitUntil, 12_000);
  await expect(refusedBy(wrong)).rejects.toMatchObject({ code: "invalid_grant", message: wrong.message, details });
  for (const error of [new TokenError("issuer_unavailable", "Try again."), new Error("a bug")]) {
    await expect(refusedBy(error)).rejects.toBe(error);
  }
});
