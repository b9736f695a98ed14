import { base64url } from "jose";
import { createExpiringMap } from "./expiring-map.ts";
import { sha256Hex } from "./hex.ts";

/** 48 bytes make the 64 characters that follow `czs_` in the tokens of the Coze documentation. */
const TOKEN_BYTES = 48;

/** What the emulator stores of a token it issued, by its SHA-256; the token itself is not stored. */
export type TokenOwner = { readonly clientId: string; readonly appName: string; readonly sessionName: string | null };

/** Selects the tokens that fit every property given. */
export type TokenSelector = {
  readonly access_token?: string | undefined;
  readonly client_id?: string | undefined;
  readonly session_name?: string | undefined;
};

/** The live tokens of one emulator. */
export type LiveTokens = ReturnType<typeof createLiveTokens>;

/** Creates the store of live tokens. `now` gives Unix milliseconds. */
export function createLiveTokens(now: () => number) {
  const tokens = createExpiringMap<TokenOwner>(now);

  return {
    /** Issues a token that lives for the given seconds; `expiresAt` is in Unix seconds. */
    async issue(owner: TokenOwner, durationSeconds: number) {
      const accessToken = randomAccessToken();
      const sha256 = await sha256Hex(accessToken);
      const expiresAt = Math.floor(now() / 1000) + durationSeconds;
      tokens.set(sha256, owner, expiresAt);
      return { accessToken, sha256, expiresAt };
    },

    /** The owner of a live token; undefined for one that has expired, was revoked or was never issued. */
    async find(accessToken: string): Promise<TokenOwner | undefined> {
      return tokens.get(await sha256Hex(accessToken));
    },

    /** Ends the live tokens that fit, and returns their number. */
    async end({ access_token, client_id, session_name }: TokenSelector): Promise<number> {
      const sha256 = access_token === undefined ? undefined : await sha256Hex(access_token);
      const ended = tokens
        .live()
        .filter(([key]) => sha256 === undefined || key === sha256)
        .filter(([, { clientId }]) => client_id === undefined || clientId === client_id)
        .filter(([, { sessionName }]) => session_name === undefined || sessionName === session_name);

      for (const [key] of ended) tokens.delete(key);
      return ended.length;
    },
  };
}

/** An access token as Coze shapes it, never the same twice. */
export function randomAccessToken(): string {
  return `czs_${base64url.encode(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)))}`;
}
