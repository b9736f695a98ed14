import { describe, expect, it } from "vitest";
import { createTokenMemory } from "../../../../src/adapters/cache/token-memory.ts";
import { cachedToken } from "../../../../src/core/token/freshness.ts";

const createCachedToken = (accessToken: string) =>
  cachedToken({ accessToken, issuedAt: 0, expiresAt: 900, digests: { token: "t", user: undefined } }, 0);

describe("the token memory", () => {
  it("evicts the least recently used token when there are too many", () => {
    const memory = createTokenMemory(2);
    for (const key of ["a", "b"]) memory.set(key, createCachedToken(key));
    memory.get("a");
    memory.set("c", createCachedToken("c"));
    expect(["a", "b", "c"].map((key) => memory.get(key)?.token.accessToken)).toEqual(["a", undefined, "c"]);
  });

  it("evicts as many tokens as a large one needs", () => {
    const memory = createTokenMemory(5000, 10_000);
    for (const key of ["a", "b", "c"]) memory.set(key, createCachedToken("x".repeat(1000)));
    memory.set("large", createCachedToken("x".repeat(3000)));
    expect(["a", "b", "c", "large"].map((key) => memory.get(key) !== undefined)).toEqual([false, false, true, true]);
  });

  it("counts only the new token when it replaces another", () => {
    const memory = createTokenMemory(5000, 10_000);
    memory.set("a", createCachedToken("x".repeat(1000)));
    for (let count = 0; count < 100; count += 1) memory.set("b", createCachedToken("x".repeat(1000)));
    expect(memory.get("a")).toBeDefined();
  });

  it("does not cache a token that is larger than the memory's limit", () => {
    const memory = createTokenMemory(5000, 10_000);
    memory.set("a", createCachedToken("x".repeat(5000)));
    expect(memory.get("a")).toBeUndefined();
    memory.set("b", createCachedToken("b"));
    expect(memory.get("b")).toBeDefined();
  });
});
