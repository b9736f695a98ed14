import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createKvTokenStore } from "../../../../src/adapters/cache/kv-token-store.ts";
import { type CacheSecrets, deriveCacheSecrets, open, seal } from "../../../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../../../src/adapters/coze/private-key.ts";
import { isProblem } from "../../../../src/core/issue.ts";
import type { AccessToken } from "../../../../src/core/token/token.ts";
import { createTestKey } from "../../../support/keys.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const NOW_SECONDS = 1_700_000_000;

const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
const wellFormed = anyText.map((text) => text.toWellFormed());
/** What is sealed is JSON, which is well-formed. */
const sealable = fc.oneof(
  fc.json(),
  anyText.map((text) => JSON.stringify(text)),
);
const token: fc.Arbitrary<AccessToken> = fc.record({
  accessToken: anyText,
  issuedAt: fc.constant(NOW_SECONDS),
  expiresAt: fc.integer({ min: NOW_SECONDS + 65, max: NOW_SECONDS + 86_399 }),
  digests: fc.record({ token: anyText, user: fc.option(anyText, { nil: undefined }) }),
});

/** Ways to spoil sealed bytes; none leaves them as they are. */
const spoiling: fc.Arbitrary<(sealed: Bytes) => Bytes> = fc.oneof(
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

describe("a sealed text", () => {
  it("opens under its name and its key to what it was", async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, sealable, async (name, text) => {
        expect(await open(secrets, name, await seal(secrets, name, text))).toBe(text);
      }),
    );
  });

  it("does not open once anything of it is changed, cut off or added", async () => {
    await fc.assert(
      fc.asyncProperty(sealable, spoiling, async (text, spoil) => {
        const spoilt = spoil(new Uint8Array(await seal(secrets, "name", text))).buffer;
        await expect(open(secrets, "name", spoilt)).rejects.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  it("does not open under another name or another key", async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, wellFormed, sealable, async (name, other, text) => {
        fc.pre(name !== other);
        const sealed = await seal(secrets, name, text);
        await expect(open(secrets, other, sealed)).rejects.toThrow();
        await expect(open(otherSecrets, name, sealed)).rejects.toThrow();
      }),
    );
  });
});

describe("the token store", () => {
  it("gives back each token under its own key, and nothing under any other", async () => {
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

  it("misses on an entry that is spoilt, another one's, or of another private key", async () => {
    await fc.assert(
      fc.asyncProperty(token, token, spoiling, async (adas, bobs, spoil) => {
        const { kv, entries } = createKv();
        const store = storeOn(kv);
        await store.put("ada", adas);
        await store.put("bob", bobs);
        const [[adasName, adasEntry], [bobsName]] = [...entries] as [[string, Bytes], [string, Bytes]]; // as just written

        entries.set(bobsName, adasEntry);
        expect(await store.get("bob")).toBeUndefined();
        entries.set(adasName, spoil(adasEntry));
        expect(await store.get("ada")).toBeUndefined();
        expect(await storeOn(kv, otherSecrets).get("ada")).toBeUndefined();
      }),
    );
  });

  it("never throws, however the namespace fails", async () => {
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

/** A namespace in memory. */
function createKv() {
  const entries = new Map<string, Bytes>();
  const kv = {
    get: async (name: string) => entries.get(name)?.slice().buffer ?? null,
    put: async (name: string, value: ArrayBuffer) => void entries.set(name, new Uint8Array(value)),
  } as unknown as KVNamespace; // as far as the store uses one
  return { kv, entries };
}

function storeOn(kv: KVNamespace, secretsOf = secrets) {
  const store = createKvTokenStore({ kv, secrets: secretsOf, now: () => NOW_SECONDS * 1000, log: () => {} });
  return {
    get: async (key: string) => (await store.open(key)).token,
    put: async (key: string, one: AccessToken) => (await store.open(key)).write(one),
  };
}

function withFlippedBit(bytes: Bytes, place: number, bit: number): Bytes {
  return bytes.map((byte, index) => (index === place ? byte ^ (1 << bit) : byte));
}

async function createSecrets(): Promise<CacheSecrets> {
  const imported = await importPrivateKey((await createTestKey()).privatePem);
  if (isProblem(imported)) throw new Error(imported.problem);
  return deriveCacheSecrets(imported.derivationKey);
}
