import { describe, expect, it } from "vitest";
import { parseCacheStatus } from "../../../src/console/cache-status.ts";
import type { CacheOutcome } from "../../../src/core/token/token-request.ts";
import { cacheStatus } from "../../../src/http/cache-status.ts";

describe("parseCacheStatus", () => {
  it.each<CacheOutcome>(["hit", "stale", "miss", "collapsed"])(
    "parses the Cache-Status that the service sends for a %s",
    (outcome) => {
      const header = cacheStatus({ cacheOutcome: outcome, ttlSeconds: 812 });
      expect(parseCacheStatus(header)).toEqual({ outcome, ttlSeconds: 812 });
    },
  );

  it.each([
    null,
    "",
    "coze-token-worker",
    "coze-token-worker; hit",
    "coze-token-worker; ttl=3",
    "coze-token-worker; hit; ttl=soon",
    "ExampleCache; hit; ttl=812",
  ])("parses no Cache-Status from %j", (header) => {
    expect(parseCacheStatus(header)).toBeUndefined();
  });
});
