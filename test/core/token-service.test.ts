import { describe, expect, it } from "vitest";
import type { Grant } from "../../src/core/grant.ts";
import type { IssuedToken } from "../../src/core/issued-token.ts";
import { createTokenService, type TokenCache } from "../../src/core/token-service.ts";

const source = { clientId: "1", audience: "api.coze.cn", tokenEndpoint: "https://api.coze.cn/token" };
const ada: Grant = { userId: "ada", durationSeconds: 900, scope: undefined };
const bob: Grant = { ...ada, userId: "bob" };

type CacheKind = "working" | "refusing" | "hanging" | "absent";

function serviceWith(kind: CacheKind = "working") {
  const kept = new Map<string, IssuedToken>();
  const cache: TokenCache = {
    get: async (key) => kept.get(key),
    put: (key, token) => {
      if (kind === "refusing") return undefined;
      if (kind === "hanging") return new Promise(() => {});
      kept.set(key, token);
      return Promise.resolve();
    },
  };
  const clock = { nowMs: 1_000_000 };
  const work: Promise<unknown>[] = [];
  let exchanges = 0;
  const issueToken = createTokenService(source, {
    cache: kind === "absent" ? undefined : cache,
    exchange: async ({ durationSeconds }) => {
      exchanges += 1;
      const issuedAt = clock.nowMs / 1000;
      return { accessToken: `token ${exchanges}`, issuedAt, expiresAt: issuedAt + durationSeconds };
    },
    now: () => clock.nowMs,
  });
  return { clock, kept, work, issue: (grant: Grant) => issueToken(grant, (task) => work.push(task)) };
}

describe("createTokenService", () => {
  it("exchanges once and answers from the cache while the token is fresh", async () => {
    const { clock, issue, work } = serviceWith();
    expect(await issue(ada)).toMatchObject({ cacheOutcome: "miss-stored", ttlSeconds: 900 });
    await Promise.all(work);

    clock.nowMs += 100_000;
    expect(await issue(ada)).toEqual({
      token: { accessToken: "token 1", issuedAt: 1000, expiresAt: 1900 },
      cacheOutcome: "hit",
      ttlSeconds: 800,
    });
  });

  it("exchanges again once the token is no longer fresh", async () => {
    const { clock, issue, work } = serviceWith();
    await issue(ada);
    await Promise.all(work);

    clock.nowMs += 810_000;
    expect(await issue(ada)).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "miss-stored" });
  });

  it("never answers one user with the token of another", async () => {
    const { issue, work } = serviceWith();
    const [first, second] = await Promise.all([issue(ada), issue(bob)]);
    await Promise.all(work);
    expect(first.token.accessToken).not.toBe(second.token.accessToken);
    expect((await issue(ada)).token).toEqual(first.token);
    expect((await issue(bob)).token).toEqual(second.token);
  });

  it("does not wait for the cache to write", async () => {
    const { issue, work } = serviceWith("hanging");
    expect(await issue(ada)).toMatchObject({ cacheOutcome: "miss-stored" });
    expect(work).toHaveLength(1);
  });

  it("says so when the cache cannot keep the token", async () => {
    const { issue, work } = serviceWith("refusing");
    expect(await issue(ada)).toMatchObject({ cacheOutcome: "miss" });
    expect(work).toEqual([]);
  });

  it("works without a cache", async () => {
    const { issue } = serviceWith("absent");
    expect(await issue(ada)).toMatchObject({ token: { accessToken: "token 1" }, cacheOutcome: "miss" });
    expect(await issue(ada)).toMatchObject({ token: { accessToken: "token 2" }, cacheOutcome: "miss" });
  });
});
