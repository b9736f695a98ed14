import type { LogDigests } from "../../core/token/token.ts";

/** The first 64 bits tell the users and tokens of a log apart. */
const DIGEST_LENGTH = 16;

const encoder = new TextEncoder();

/** What the log calls a user, and a token with the user it is for. */
export type Digester = {
  readonly userDigest: (userId: string | undefined) => Promise<string | undefined>;
  readonly tokenDigests: (accessToken: string, userId: string | undefined) => Promise<LogDigests>;
};

/**
 * Creates the names by which the log speaks of users and tokens, each 16 hexadecimal digits: an HMAC-SHA-256 of the
 * user id, under a key that nobody outside knows, so that nobody can try user ids against the log; and the SHA-256 of
 * the token.
 */
export function createDigester(userIdKey: CryptoKey): Digester {
  async function userDigest(userId: string | undefined): Promise<string | undefined> {
    return userId === undefined
      ? undefined
      : shortHex(await crypto.subtle.sign("HMAC", userIdKey, encoder.encode(userId)));
  }

  return {
    userDigest,
    async tokenDigests(accessToken, userId) {
      return { token: await shortDigest(accessToken), user: await userDigest(userId) };
    },
  };
}

/** Computes the first 16 hexadecimal digits of the SHA-256 of a string. */
export async function shortDigest(text: string): Promise<string> {
  return shortHex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

function shortHex(digest: ArrayBuffer): string {
  return Buffer.from(digest).toString("hex").slice(0, DIGEST_LENGTH);
}
