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

/** In this world, the digest of a key is the key, and a JWT is its issuer and audience with a point between. */
function world() {
  return {
    digestOf: vi.fn(bytesOf),
    createKeyMatcher: vi.fn((keySha256: string) => (digest: ArrayBuffer) => textOf(digest) === keySha256),
    claimedIssuer: vi.fn((credential: string) => (credential.includes(" ") ? credential.split(" ")[0] : undefined)),
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
  it("authenticates every request as anyone in an open service, without a look at its credential", async () => {
    const ports = world();
    const authenticate = createAuthenticator([ANYONE], ports);
    for (const credential of [undefined, "", "x", "x".repeat(100_000)]) {
      expect(await authenticate(credential, waitUntil, DEADLINE)).toEqual({ caller: ANYONE, claims: undefined });
    }
    for (const port of Object.values(ports)) expect(port).not.toHaveBeenCalled();
  });

  it("authenticates a request without a credential as a visitor, or refuses it where there are none", async () => {
    const ports = world();
    expect(await createAuthenticator([key("script", "k"), visitors], ports)(undefined, waitUntil, DEADLINE)).toEqual({
      caller: visitors,
      claims: undefined,
    });
    await expect(createAuthenticator([key("script", "k")], ports)(undefined, waitUntil, DEADLINE)).rejects.toEqual(
      refused("A credential is required"),
    );
  });

  it.each([
    ["", "neither an API key of this service nor a JWT it trusts"],
    ["unknown", "neither an API key of this service nor a JWT it trusts"],
    ["https://evil.example api", "neither an API key of this service nor a JWT it trusts"],
    ["https://id.example.com other", "The audience or the claims of the JWT"],
  ])("never authenticates a wrong credential as a visitor: %s", async (credential, description) => {
    const authenticate = createAuthenticator([visitors, key("script", "k"), jwt("web")], world());
    await expect(authenticate(credential, waitUntil, DEADLINE)).rejects.toEqual(refused(description));
  });

  it("authenticates a key as the first of two callers that have it, and compares it with all", async () => {
    const compared: string[] = [];
    const ports = {
      ...world(),
      createKeyMatcher: (keySha256: string) => (digest: ArrayBuffer) => {
        compared.push(keySha256);
        return textOf(digest) === keySha256;
      },
    };
    const callers = [key("a", "1"), key("b", "2"), key("c", "2"), key("d", "3")];
    expect(await createAuthenticator(callers, ports)("2", waitUntil, DEADLINE)).toMatchObject({
      caller: { name: "b" },
    });
    expect(compared).toEqual(["1", "2", "2", "3"]);
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

  it("refuses a JWT of an issuer that no caller has, without verifying it", async () => {
    const ports = world();
    const authenticate = createAuthenticator([jwt("web")], ports);
    await expect(authenticate("https://evil.example api", waitUntil, DEADLINE)).rejects.toEqual(
      refused("nor a JWT it trusts"),
    );
    await expect(authenticate("no-jwt", waitUntil, DEADLINE)).rejects.toEqual(refused("nor a JWT it trusts"));
    expect(ports.verifyJwt).not.toHaveBeenCalled();
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

  it("passes on the error of a JWT that could not be verified", async () => {
    const failure = new Error("issuer away");
    const authenticate = createAuthenticator([jwt("web"), visitors], {
      ...world(),
      verifyJwt: () => Promise.reject(failure),
    });
    await expect(authenticate("https://id.example.com api", waitUntil, DEADLINE)).rejects.toBe(failure);
  });
});
