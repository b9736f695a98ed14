import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createKvTokenStore } from "../../../../src/adapters/cache/kv-token-store.ts";
import { type CacheSecrets, deriveCacheSecrets, open, seal } from "../../../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../../../src/adapters/coze/private-key.ts";
import type { AccessToken } from "../../../../src/core/token/token.ts";
import { createTestKey } from "../../../support/keys.ts";
import { parsedValue } from "../../../support/parsed-value.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const NOW_SECONDS = 1_700_000_000;

const anyString = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
const wellFormed = anyString.map((value) => value.toWellFormed());
/** The cache seals JSON, which is well-formed. */
const sealable = fc.oneof(
  fc.json(),
  anyString.map((value) => JSON.stringify(value)),
);
const token: fc.Arbitrary<AccessToken> = fc.record({
  accessToken: anyString,
  issuedAt: fc.constant(NOW_SECONDS),
  expiresAt: fc.integer({ min: NOW_SECONDS + 65, max: NOW_SECONDS + 86_399 }),
  digests: fc.record({ token: anyString, user: fc.option(anyString, { nil: undefined }) }),
});

/** Functions that corrupt sealed bytes; none returns them unchanged. */
const corruption: fc.Arbitrary<(sealed: Bytes) => Bytes> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(
    ([place, bit]) =>
      (sealed: Bytes) =>
        withFlippedBit(sealed, place % sealed.length, bit),
  ),
  fc.nat().map((length) => (sealed: Bytes) => sealed.slice(0, length % sealed.length)),
  fc.nat().map((length) => (sealed: Bytes) => sealed.slice(1 + (length % sealed.length))),
  fc.uint8Array({ minLength: 1 }).map((more) => (sealed: Bytes) => Uint8Array.from([...sealed, ...more])),
  fc.uint8Array({ minLength: 1 }).map((more) => (sealed: Bytes) => Uint8Array.from([...more, ...sealed])),
  fc.uint8Array().map((other) => () => Uint8Array.from(other)),
);

let secrets: CacheSecrets;
let otherSecrets: CacheSecrets;

beforeAll(async () => {
  secrets = await createSecrets();
  otherSecrets = await createSecrets();
});

describe("seal and open", () => {
  it("opens a sealed value under its name and key", async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, sealable, async (name, value) => {
        expect(await open(secrets, name, await seal(secrets, name, value))).toBe(value);
      }),
    );
  });

  it("rejects a sealed value that was changed, truncated or extended", async () => {
    await fc.assert(
      fc.asyncProperty(sealable, corruption, async (value, corruptBytes) => {
        const corrupt = corruptBytes(new Uint8Array(await seal(secrets, "name", value))).buffer;
        await expect(open(secrets, "name", corrupt)).rejects.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  it("rejects a sealed value under another name or another key", async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, wellFormed, sealable, async (name, other, value) => {
        fc.pre(name !== other);
        const sealed = await seal(secrets, name, value);
        await expect(open(secrets, other, sealed)).rejects.toThrow();
        await expect(open(otherSecrets, name, sealed)).rejects.toThrow();
      }),
    );
  });
});

describe("the token store", () => {
  it("returns a stored token for its own cache key, and nothing for any other", async () => {
    const entries = fc.uniqueArray(fc.tuple(wellFormed, token), {
      selector: ([key]) => key,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(wellFormed, entries, async (absentKey, others) => {
        const present = others.filter(([key]) => key !== absentKey);
        const store = storeOn(createKv().kv);
        for (const [key, one] of present) await store.put(key, one);
        for (const [key, one] of present) expect(await store.get(key)).toEqual(one);
        expect(await store.get(absentKey)).toBeUndefined();
      }),
    );
  });

  it("misses on a stored entry that is corrupt, of another cache key, or of another private key", async () => {
    await fc.assert(
      fc.asyncProperty(token, token, corruption, async (adas, bobs, corruptBytes) => {
        const { kv, entries } = createKv();
        const store = storeOn(kv);
        await store.put("ada", adas);
        await store.put("bob", bobs);
        const [[adasName, adasEntry], [bobsName]] = [...entries] as [[string, Bytes], [string, Bytes]]; // as just written

        entries.set(bobsName, adasEntry);
        expect(await store.get("bob")).toBeUndefined();
        entries.set(adasName, corruptBytes(adasEntry));
        expect(await store.get("ada")).toBeUndefined();
        expect(await storeOn(kv, otherSecrets).get("ada")).toBeUndefined();
      }),
    );
  });

  it("never throws from the token store, however the KV namespace fails", async () => {
    const reason = fc.oneof(
      fc.string().map((message) => new Error(message)),
      fc.string(),
      fc.constant(undefined),
    );
    const failure = fc.oneof(
      reason.map((thrown) => () => {
        throw thrown;
      }),
      reason.map((rejection) => () => Promise.reject(rejection)),
    );
    const nonsense = fc
      .oneof(
        fc.anything(),
        fc.uint8Array().map(({ buffer }) => buffer),
      )
      .map((value) => async () => value);
    await fc.assert(
      fc.asyncProperty(fc.oneof(failure, nonsense), failure, token, async (get, put, one) => {
        const store = storeOn({ get, put } as unknown as KVNamespace); // as far as the store uses one
        expect(await store.get("key")).toBeUndefined();
        expect(await store.put("key", one)).toBeUndefined();
      }),
    );
  });
});

/** A KV namespace in memory. */
function createKv() {
  const entries = new Map<string, Bytes>();
  const kv = {
    get: async (name: string) => entries.get(name)?.slice().buffer ?? null,
    put: async (name: string, value: ArrayBuffer) => void entries.set(name, new Uint8Array(value)),
  } as unknown as KVNamespace; // as far as the store uses one
  return { kv, entries };
}

function storeOn(kv: KVNamespace, cacheSecrets = secrets) {
  const store = createKvTokenStore({ kv, secrets: cacheSecrets, now: () => NOW_SECONDS * 1000, log: () => {} });
  return {
    get: async (key: string) => (await store.open(key)).token,
    put: async (key: string, one: AccessToken) => (await store.open(key)).write(one),
  };
}

function withFlippedBit(bytes: Bytes, place: number, bit: number): Bytes {
  return bytes.map((byte, index) => (index === place ? byte ^ (1 << bit) : byte));
}

async function createSecrets(): Promise<CacheSecrets> {
  const imported = parsedValue(await importPrivateKey((await createTestKey()).privatePem));
  return deriveCacheSecrets(imported.derivationKey);
}
