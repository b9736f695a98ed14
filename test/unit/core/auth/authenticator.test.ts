import { describe, expect, it, vi } from "vitest";
import { createAuthenticator, type VerifiedJwt } from "../../../../src/core/auth/authenticator.ts";
import { ANYONE, type Caller, type JwtRule } from "../../../../src/core/auth/caller.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";

const key = (name: string, keySha256: string): Caller => ({
  ...ANYONE,
  name,
  credentialRule: { kind: "key", keySha256 },
});
const jwt = (name: string, changes: Partial<JwtRule> = {}): Caller => ({
  ...ANYONE,
  name,
  credentialRule: { ...JWT_RULE, ...changes },
});
const visitors: Caller = {
  ...ANYONE,
  name: "visitors",
  credentialRule: { kind: "anonymous", turnstile: undefined },
};

function bytesOf(text: string): Promise<ArrayBuffer> {
  return new Response(text).arrayBuffer();
}

function textOf(bytes: ArrayBuffer): string {
  return new TextDecoder().decode(bytes);
}

/** In this world, the digest of a key is the key, and a JWT is its issuer and audience with a space between. */
function world() {
  return {
    digestOf: vi.fn(bytesOf),
    createKeyMatcher: (keySha256: string) => (digest: ArrayBuffer) => textOf(digest) === keySha256,
    claimedIssuer: (credential: string) => (credential.includes(" ") ? credential.split(" ")[0] : undefined),
    verifyJwt: vi.fn(async (credential: string): Promise<VerifiedJwt> => {
      const [iss, aud] = credential.split(" ");
      return { claims: { iss, aud, sub: "ada" }, kid: "key 1" };
    }),
  };
}

const waitUntil = () => undefined;
const DEADLINE = 12_000;
const refused = (description: string) =>
  expect.objectContaining({ code: "invalid_client", message: expect.stringContaining(description) });

describe("createAuthenticator", () => {
  it.each([
    ["", "neither an API key of this service nor a JWT it trusts"],
    ["unknown", "neither an API key of this service nor a JWT it trusts"],
    ["https://evil.example api", "neither an API key of this service nor a JWT it trusts"],
    ["https://id.example.com other", "The audience or the claims of the JWT"],
  ])("never authenticates a wrong credential as a visitor: %s", async (credential, description) => {
    const authenticate = createAuthenticator([visitors, key("script", "k"), jwt("web")], world());
    await expect(authenticate(credential, waitUntil, DEADLINE)).rejects.toEqual(refused(description));
  });

  it("does not verify an API key as a JWT", async () => {
    const ports = world();
    const callers = [jwt("web"), key("script", "https://id.example.com api")];
    expect(await createAuthenticator(callers, ports)("https://id.example.com api", waitUntil, DEADLINE)).toMatchObject({
      caller: { name: "script" },
      claims: undefined,
    });
    expect(ports.verifyJwt).not.toHaveBeenCalled();
  });

  it("verifies a JWT once for all callers of its issuer, and authenticates the first that matches", async () => {
    const ports = world();
    const callers = [
      jwt("elsewhere", { issuer: "https://other.example" }),
      jwt("admins", { claims: new Map([["role", "admin"]]) }),
      jwt("staff", { audience: "staff" }),
      jwt("users"),
      jwt("later"),
    ];
    expect(await createAuthenticator(callers, ports)("https://id.example.com api", waitUntil, DEADLINE)).toEqual({
      caller: callers[3],
      claims: { iss: "https://id.example.com", aud: "api", sub: "ada" },
      kid: "key 1",
    });
    expect(ports.verifyJwt.mock.calls).toEqual([
      [
        "https://id.example.com api",
        expect.objectContaining({ issuer: "https://id.example.com" }),
        waitUntil,
        DEADLINE,
      ],
    ]);
  });

  it("does not hash a credential that is too long", async () => {
    const ports = world();
    const authenticate = createAuthenticator([key("script", "k")], ports);
    await expect(authenticate("x".repeat(16 * 1024 + 1), waitUntil, DEADLINE)).rejects.toEqual(refused("too long"));
    expect(ports.digestOf).not.toHaveBeenCalled();
    await expect(authenticate("x".repeat(16 * 1024), waitUntil, DEADLINE)).rejects.toEqual(
      refused("nor a JWT it trusts"),
    );
  });

  it("does not hash a credential when no caller has an API key", async () => {
    const ports = world();
    const authenticate = createAuthenticator([jwt("web"), visitors], ports);
    expect(await authenticate("https://id.example.com api", waitUntil, DEADLINE)).toMatchObject({
      caller: { name: "web" },
    });
    expect(ports.digestOf).not.toHaveBeenCalled();
  });
});
