import { describe, expect, it } from "vitest";
import { isFresh, secondsLeft } from "../../src/core/issued-token.ts";

const tokenOf = (lifetime: number) => ({ accessToken: "t", issuedAt: 1000, expiresAt: 1000 + lifetime });

describe("isFresh", () => {
  it.each([
    [900, 90, "a tenth of its life"],
    [86_399, 8639.9, "a tenth of its life"],
    [300, 60, "a minute"],
    [120, 60, "a minute"],
    [60, 30, "half its life"],
    [2, 1, "half its life"],
  ])("serves a token of %i seconds until %d are left, %s", (lifetime, reserve) => {
    const token = tokenOf(lifetime);
    expect(isFresh(token, token.issuedAt)).toBe(true);
    expect(isFresh(token, token.expiresAt - Math.floor(reserve) - 1)).toBe(true);
    expect(isFresh(token, token.expiresAt - Math.floor(reserve))).toBe(false);
    expect(isFresh(token, token.expiresAt)).toBe(false);
  });
});

it("counts the seconds a token has left", () => {
  expect(secondsLeft(tokenOf(900), 1000)).toBe(900);
  expect(secondsLeft(tokenOf(900), 1901)).toBe(-1);
});
