import type { Log } from "../../core/log.ts";
import { type AccessToken, secondsLeft } from "../../core/token/token.ts";
import { STORE_BUDGET_MS, type TokenStore } from "../../core/token/token-service.ts";
import { within } from "../within.ts";
import { type CacheSecrets, entryName, open, seal } from "./sealing.ts";

/** KV rejects an expiration less than 60 seconds after the write, which may happen up to 2 seconds late. */
export const KV_MIN_TTL_SECONDS = 60 + 2;

/** Responses do not wait for writes, but work in `waitUntil` must end too. */
const WRITE_TIMEOUT_MS = 5000;

/** Changes with the format of names or values, so that old entries are misses. */
const NAME_PREFIX = "v1:";

export type KvTokenStoreDependencies = {
  readonly kv: KVNamespace;
  readonly secrets: CacheSecrets;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: Log;
};

/**
 * Creates the token store in Workers KV. The name of an entry is an HMAC of the cache key, which does not reveal the
 * user. The value is encrypted for that name, and the entry expires with the token. A read that fails is a miss.
 */
export function createKvTokenStore({ kv, secrets, now, log }: KvTokenStoreDependencies): TokenStore {
  return {
    async open(key) {
      const name = NAME_PREFIX + (await entryName(secrets, key));
      return {
        token: await readToken(name),
        write(token) {
          if (secondsLeft(token, now() / 1000) < KV_MIN_TTL_SECONDS) return undefined;
          return writeToken(name, token).catch((error: unknown) => {
            log("warn", "cache_write_failed", { cause: String(error) });
          });
        },
      };
    },
  };

  async function readToken(name: string): Promise<AccessToken | undefined> {
    try {
      const sealed = await within(STORE_BUDGET_MS, kv.get(name, "arrayBuffer"));
      return sealed === null ? undefined : await openToken(secrets, name, sealed, log);
    } catch (error) {
      log("warn", "cache_read_failed", { cause: String(error) });
      return undefined;
    }
  }

  async function writeToken(name: string, token: AccessToken): Promise<void> {
    const sealed = await seal(secrets, name, serializeToken(token));
    await within(WRITE_TIMEOUT_MS, kv.put(name, sealed, { expiration: token.expiresAt }));
  }
}

async function openToken(
  secrets: CacheSecrets,
  name: string,
  sealed: ArrayBuffer,
  log: Log,
): Promise<AccessToken | undefined> {
  try {
    return parseToken(await open(secrets, name, sealed));
  } catch {
    log("warn", "cache_entry_unreadable");
    return undefined;
  }
}

/** Serializes a token as an array, which is shorter and parses faster than an object with property names. */
function serializeToken({ accessToken, issuedAt, expiresAt, digests }: AccessToken): string {
  return JSON.stringify([accessToken, issuedAt, expiresAt, digests.token, digests.user ?? null]);
}

function parseToken(json: string): AccessToken {
  const [accessToken, issuedAt, expiresAt, token, user, ...more]: unknown[] = JSON.parse(json);
  if (
    typeof accessToken !== "string" ||
    typeof issuedAt !== "number" ||
    typeof expiresAt !== "number" ||
    typeof token !== "string" ||
    (typeof user !== "string" && user !== null) ||
    more.length > 0
  ) {
    throw new TypeError("the stored value is not a token");
  }
  return { accessToken, issuedAt, expiresAt, digests: { token, user: user ?? undefined } };
}
