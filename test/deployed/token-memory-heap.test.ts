import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createTokenMemory, MAX_CACHED_TOKENS } from "../../src/adapters/cache/token-memory.ts";
import { MAX_USER_ID_LENGTH } from "../../src/core/auth/user-id.ts";
import { MAX_SCOPE_BYTES } from "../../src/core/grant/coze-scope.ts";
import { createCacheKeyFor } from "../../src/core/token/cache-key.ts";
import { cachedToken } from "../../src/core/token/freshness.ts";

const MAX_GROWTH_BYTES = 32 * 1024 * 1024;
/** Coze's tokens have under a hundred characters; an endpoint could send one as long as it is read. */
const LONGEST_TOKEN = 64 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void; // what the flag above exposes

/** Bytes by which the heap grows when the memory is given 5,000 entries, each string made anew as in a request. */
function growthWith(tokenLength: number): number {
  const keyFor = createCacheKeyFor({
    clientId: "1".repeat(19),
    audience: "api.coze.cn",
    tokenEndpoint: "https://api.coze.cn/api/permission/oauth2/token",
  });
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const memory = createTokenMemory();
  for (let index = 0; index < MAX_CACHED_TOKENS; index += 1) {
    const userId = String(index).padStart(MAX_USER_ID_LENGTH, "x");
    const permission = `${"\u7528".repeat(600)}${index}`.padEnd(MAX_SCOPE_BYTES - 1300, "x");
    const scope = { account_permission: { permission_list: [permission] } };
    const accessToken = `czs_${String(index).padStart(tokenLength, "x")}`;
    const token = {
      accessToken,
      issuedAt: index,
      expiresAt: index + 900,
      digests: { token: `t${index}`, user: `u${index}` },
    };
    memory.set(keyFor({ userId: `${"p".repeat(32)}:${userId}`, durationSeconds: 900, scope }), cachedToken(token, 0));
  }
  collectGarbage();
  const growth = process.memoryUsage().heapUsed - before;
  // Held until here.
  expect(memory.get("no such key")).toBeUndefined();
  return growth;
}

describe("the memory of an isolate", () => {
  it("holds the token memory under 32 MiB with the largest keys that requests can make", () => {
    const growth = growthWith(100);
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
    // Else the entries were not there to be measured.
    expect(growth).toBeGreaterThan(MAX_GROWTH_BYTES / 8);
  });

  it("holds the token memory under 32 MiB with tokens of any length", () => {
    expect(growthWith(LONGEST_TOKEN)).toBeLessThan(MAX_GROWTH_BYTES);
  });
});
