import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createKvTokenStore } from "../../../src/adapters/cache/kv-token-store.ts";
import { type CacheSecrets, deriveCacheSecrets, open, seal } from "../../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../../src/adapters/coze/private-key.ts";
import type { AccessToken } from "../../../src/core/token/token.ts";
import { createTestKey } from "../../support/keys.ts";
import { parsedValue } from "../../support/parsed-value.ts";

const kv = env.TOKEN_CACHE;
const nowSeconds = () => Math.floor(Date.now() / 1000);

let secrets: CacheSecrets;
let logged: string[];

beforeAll(async () => {
  secrets = await createSecrets();
});

beforeEach(async () => {
  logged = [];
  for (const { name } of (await kv.list()).keys) await kv.delete(name);
});

async function createSecrets(): Promise<CacheSecrets> {
  const key = parsedValue(await importPrivateKey((await createTestKey()).privatePem));
  return deriveCacheSecrets(key.derivationKey);
}

function createCache({ namespace = kv, secretsOf = secrets } = {}) {
  const store = createKvTokenStore({
    kv: namespace,
    secrets: secretsOf,
    now: () => Date.now(),
    log: (_level, event) => logged.push(event),
  });
  return {
    store,
    get: async (key: string) => (await store.open(key)).token,
    put: async (key: string, token: AccessToken) => (await store.open(key)).write(token),
  };
}

function tokenFor(lifetime: number): AccessToken {
  const issuedAt = nowSeconds();
  return { accessToken: "czs_secret", issuedAt, expiresAt: issuedAt + lifetime, digests: { token: "1", user: "2" } };
}

async function onlyName(): Promise<string> {
  const { keys } = await kv.list();
  expect(keys).toHaveLength(1);
  return keys[0]?.name ?? "";
}

describe("createKvTokenStore", () => {
  it("returns a stored token under its own cache key, and nothing under another", async () => {
    const cache = createCache();
    const token = tokenFor(900);
    await cache.put("key", token);
    expect(await cache.get("key")).toEqual(token);
    expect(await cache.get("another key")).toBeUndefined();
  });

  it("shows neither user nor token in a KV entry, which expires with the token", async () => {
    const token = tokenFor(900);
    await createCache().put("ada lovelace", token);

    const name = await onlyName();
    expect(name).toMatch(/^v1:[\w-]{43}$/);
    const raw = Buffer.from((await kv.get(name, "arrayBuffer")) ?? new ArrayBuffer()).toString("latin1");
    expect(raw.length).toBeGreaterThan(0);
    for (const secret of ["ada", "lovelace", token.accessToken, "czs"]) expect(name + raw).not.toContain(secret);
    const { keys } = await kv.list();
    expect(keys[0]?.expiration).toBe(token.expiresAt);
  });

  it("does not write to KV a token that ends within a minute", async () => {
    const { write } = await createCache().store.open("key");
    expect(write(tokenFor(61))).toBeUndefined();
    expect((await kv.list()).keys).toEqual([]);
    await write(tokenFor(65));
    expect((await kv.list()).keys).toHaveLength(1);
  });

  it.each(["garbage", new ArrayBuffer(5)])(
    "misses on a KV entry that is unreadable, and logs it: %o",
    async (entry) => {
      const cache = createCache();
      await cache.put("key", tokenFor(900));
      await kv.put(await onlyName(), entry);

      expect(await cache.get("key")).toBeUndefined();
      expect(logged).toEqual(["cache_entry_unreadable"]);
    },
  );

  it.each([
    ["not JSON", "token"],
    ["without a token", JSON.stringify([null, 1, 2, "1", "2"])],
    ["longer than a token is", JSON.stringify(["czs_secret", 1, 2, "1", "2", "admin"])],
  ])("misses on a well-sealed KV entry that is %s", async (_what, text) => {
    const cache = createCache();
    await cache.put("key", tokenFor(900));
    const name = await onlyName();
    await kv.put(name, await seal(secrets, name, text));
    expect(await cache.get("key")).toBeUndefined();
  });

  it("leaves no usable KV entry behind when the private key changes", async () => {
    await createCache().put("key", tokenFor(900));
    const successor = createCache({ secretsOf: await createSecrets() });
    expect(await successor.get("key")).toBeUndefined();
    await successor.put("key", tokenFor(900));
    expect((await kv.list()).keys).toHaveLength(2);
  });

  it("treats a KV that throws as a miss", async () => {
    const { token, write } = await createCache({ namespace: throwingKv }).store.open("key");
    expect(token).toBeUndefined();
    await expect(write(tokenFor(900))).resolves.toBeUndefined();
    expect(logged).toEqual(["cache_read_failed", "cache_write_failed"]);
  });
});

describe("seal", () => {
  it("seals the same string differently each time", async () => {
    const [first, second] = await Promise.all([seal(secrets, "name", "text"), seal(secrets, "name", "text")]);
    expect(Buffer.from(first).equals(Buffer.from(second))).toBe(false);
    expect(await open(secrets, "name", first)).toBe("text");
  });
});

const throwingKv = new Proxy(kv, {
  get: () => async () => {
    throw new Error("KV GET failed: 503 Service Unavailable");
  },
});
