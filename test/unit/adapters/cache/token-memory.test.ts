import { describe, expect, it } from "vitest";
import { createTokenMemory } from "../../../../src/adapters/cache/token-memory.ts";
import { cachedToken } from "../../../../src/core/token/freshness.ts";

const tokenOf = (accessToken: string) =>
  cachedToken({ accessToken, issuedAt: 0, expiresAt: 900, digests: { token: "t", user: undefined } }, 0);

describe("the memory of an isolate", () => {
  it("forgets the token asked for longest ago, once there are too many", () => {
    const memory = createTokenMemory(2);
    for (const key of ["a", "b"]) memory.set(key, tokenOf(key));
    memory.get("a");
    memory.set("c", tokenOf("c"));
    expect(["a", "b", "c"].map((key) => memory.get(key)?.token.accessToken)).toEqual(["a", undefined, "c"]);
  });

  it("forgets as many tokens as make room for a large one", () => {
    const memory = createTokenMemory(5000, 10_000);
    for (const key of ["a", "b", "c"]) memory.set(key, tokenOf("x".repeat(1000)));
    memory.set("large", tokenOf("x".repeat(3000)));
    expect(["a", "b", "c", "large"].map((key) => memory.get(key) !== undefined)).toEqual([false, false, true, true]);
  });

  it("counts a token that replaces another in its place", () => {
    const memory = createTokenMemory(5000, 10_000);
    memory.set("a", tokenOf("x".repeat(1000)));
    for (let count = 0; count < 100; count += 1) memory.set("b", tokenOf("x".repeat(1000)));
    expect(memory.get("a")).toBeDefined();
  });

  it("does not keep a token that is larger than all of it", () => {
    const memory = createTokenMemory(5000, 10_000);
    memory.set("a", tokenOf("x".repeat(5000)));
    expect(memory.get("a")).toBeUndefined();
    memory.set("b", tokenOf("b"));
    expect(memory.get("b")).toBeDefined();
  });
});
