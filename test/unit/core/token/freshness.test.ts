import { describe, expect, it } from "vitest";
import {
  cacheActionFor,
  cachedToken,
  isRejected,
  isUsable,
  withRenewalPaused,
} from "../../../../src/core/token/freshness.ts";
import { type AccessToken, secondsLeft } from "../../../../src/core/token/token.ts";

const tokenOf = (lifetime: number): AccessToken => ({
  accessToken: "t",
  issuedAt: 1000,
  expiresAt: 1000 + lifetime,
  digests: { token: "t", user: undefined },
});

/** The action of a token of that life, cached since it was issued, with so many seconds left. */
const useWith = (lifetime: number, left: number, random = 0) =>
  cacheActionFor(cachedToken(tokenOf(lifetime), random), 1000 + lifetime - left);

describe("cacheActionFor", () => {
  it.each([
    [900, 90, "a tenth of its lifetime"],
    [86_390, 8639, "a tenth of its lifetime"],
    [300, 60, "a minute"],
    [120, 60, "a minute"],
    [60, 30, "half its lifetime"],
    [2, 1, "half its lifetime"],
  ])("renews a token of %i seconds before serving it once %i are left, %s", (lifetime, reserve) => {
    expect(useWith(lifetime, lifetime)).toBe("serve");
    expect(useWith(lifetime, reserve + 1)).toMatch(/^serve/);
    expect(useWith(lifetime, reserve)).toBe("renew");
    expect(useWith(lifetime, 0)).toBe("renew");
    expect(useWith(lifetime, -1)).toBe("renew");
  });

  it("renews a token after serving it in its last quarter, or up to a tenth of that later", () => {
    expect(useWith(1000, 251)).toBe("serve");
    expect(useWith(1000, 250)).toBe("serve-and-renew");
    expect(useWith(1000, 226, 0.999)).toBe("serve");
    expect(useWith(1000, 225, 0.999)).toBe("serve-and-renew");
    expect(useWith(1000, 101)).toBe("serve-and-renew");
  });

  it("never renews a token after serving it when the reserve is more than its last quarter", () => {
    expect(useWith(60, 31)).toBe("serve");
    expect(useWith(60, 30)).toBe("renew");
  });
});

describe("withRenewalPaused", () => {
  const token = tokenOf(900);

  it("serves an ageing token whose renewal failed, and tries again after half a minute", () => {
    const cached = withRenewalPaused(token, 1700);
    expect(cacheActionFor(cached, 1700)).toBe("serve");
    expect(cacheActionFor(cached, 1729)).toBe("serve");
    expect(cacheActionFor(cached, 1730)).toBe("serve-and-renew");
  });

  it("serves a token in its reserve as stale when renewal failed, and tries again after half a minute", () => {
    const cached = withRenewalPaused(token, 1820);
    expect(cacheActionFor(cached, 1849)).toBe("serve-stale");
    expect(cacheActionFor(cached, 1850)).toBe("renew");
  });

  it("tries a failed renewal again before the token's last seconds are over", () => {
    const cached = withRenewalPaused(token, 1880);
    expect(cacheActionFor(cached, 1894)).toBe("serve-stale");
    expect(cacheActionFor(cached, 1895)).toBe("renew");
  });
});

it("finds a token usable until five seconds before its end", () => {
  expect(isUsable(tokenOf(900), 1895)).toBe(true);
  expect(isUsable(tokenOf(900), 1896)).toBe(false);
});

it("believes that Coze rejected a token once it is ten seconds old", () => {
  expect(isRejected(tokenOf(900), "t", 1010)).toBe(true);
  expect(isRejected(tokenOf(900), "t", 1009)).toBe(false);
  expect(isRejected(tokenOf(900), "another", 1010)).toBe(false);
  expect(isRejected(tokenOf(900), undefined, 1010)).toBe(false);
});

it("counts the seconds that a token has left", () => {
  expect(secondsLeft(tokenOf(900), 1000)).toBe(900);
  expect(secondsLeft(tokenOf(900), 1901)).toBe(-1);
});
