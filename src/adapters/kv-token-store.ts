import { createHmac } from "node:crypto";
import * as z from "zod/mini";
import { type IssuedToken, secondsLeft } from "../core/issued-token.ts";
import type { Log } from "../core/log.ts";
import type { TokenStore } from "../core/token-service.ts";
import { type CacheSecrets, open, seal } from "./sealing.ts";

/** KV refuses an expiration less than 60 seconds ahead of the moment it writes; the write may be a moment late. */
const KV_MIN_TTL_SECONDS = 60 + 2;

/** A read takes some milliseconds, rarely hundreds; by then a new token is as near. */
const READ_TIMEOUT_MS = 1000;

/** Changes whenever the way names or values are made changes, so that old entries are misses. */
const NAME_PREFIX = "v1:";

const storedToken = z.strictObject({ accessToken: z.string(), issuedAt: z.int(), expiresAt: z.int() });

export type KvTokenStoreDependencies = {
  readonly kv: KVNamespace;
  readonly secrets: CacheSecrets;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: Log;
};

/**
 * Creates the token store in Workers KV. An entry's name is an HMAC of the cache key, so it tells nobody which user it
 * belongs to; its value is sealed under that name; it expires with the token. A failing KV costs a miss, never a token.
 */
export function createKvTokenStore({ kv, secrets, now, log }: KvTokenStoreDependencies): TokenStore {
  return {
    async get(key) {
      try {
        const name = nameFor(secrets, key);
        const sealed = await within(READ_TIMEOUT_MS, kv.get(name, "arrayBuffer"));
        return sealed === null ? undefined : await openToken(secrets, name, sealed, log);
      } catch (error) {
        log("warn", "cache_read_failed", { cause: String(error) });
        return undefined;
      }
    },

    put(key, token) {
      if (secondsLeft(token, now() / 1000) < KV_MIN_TTL_SECONDS) return undefined;
      return putToken(kv, secrets, key, token).catch((error: unknown) => {
        log("warn", "cache_write_failed", { cause: String(error) });
      });
    },
  };
}

async function putToken(kv: KVNamespace, secrets: CacheSecrets, key: string, token: IssuedToken): Promise<void> {
  const name = nameFor(secrets, key);
  await kv.put(name, await seal(secrets, name, JSON.stringify(token)), { expiration: token.expiresAt });
}

async function openToken(
  secrets: CacheSecrets,
  name: string,
  sealed: ArrayBuffer,
  log: Log,
): Promise<IssuedToken | undefined> {
  try {
    return storedToken.parse(JSON.parse(await open(secrets, name, sealed)));
  } catch {
    log("warn", "cache_entry_unreadable");
    return undefined;
  }
}

function nameFor(secrets: CacheSecrets, key: string): string {
  return NAME_PREFIX + createHmac("sha256", secrets.nameKey).update(key).digest("base64url");
}

async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`KV did not answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
