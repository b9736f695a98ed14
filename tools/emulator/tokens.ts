import { base64url } from "jose";
import { createExpiringMap } from "./expiring-map.ts";
import { sha256Hex } from "./hex.ts";

/** 48 bytes make the 64 characters that follow `czs_` in the tokens of the Coze documentation. */
const TOKEN_BYTES = 48;

/** What the emulator knows of a token it issued. The token itself is not kept, only its SHA-256. */
export type AccessToken = { readonly clientId: string; readonly appName: string; readonly sessionName: string | null };

/** Which tokens are meant: those that fit every member given. */
export type TokenSelector = {
  readonly access_token?: string | undefined;
  readonly client_id?: string | undefined;
  readonly session_name?: string | undefined;
};

/** The live tokens of one emulator. */
export type TokenStore = ReturnType<typeof createTokenStore>;

/** Makes the memory of live tokens. `now` gives Unix milliseconds. */
export function createTokenStore(now: () => number) {
  const tokens = createExpiringMap<AccessToken>(now);

  return {
    /** Issues a token that lives for the given seconds; `expiresAt` is in Unix seconds. */
    async issue(token: AccessToken, durationSeconds: number) {
      const accessToken = randomAccessToken();
      const sha256 = await sha256Hex(accessToken);
      const expiresAt = Math.floor(now() / 1000) + durationSeconds;
      tokens.set(sha256, token, expiresAt);
      return { accessToken, sha256, expiresAt };
    },

    /** What is known of a live token; undefined for one that is over, ended or never issued. */
    async find(accessToken: string): Promise<AccessToken | undefined> {
      return tokens.get(await sha256Hex(accessToken));
    },

    /** Ends the live tokens that fit and tells how many there were. */
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
