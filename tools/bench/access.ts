import { randomBytes } from "node:crypto";
import { sha256Hex } from "../lib/sha256.ts";
import type { Bench } from "./bench.ts";
import { startIssuer } from "./issuer.ts";
import type { RequestHeaders } from "./load.ts";

/** Makes the settings of one way of access, and the headers of a request that it lets in. */
export type GrantAccess = (bench: Bench) => Promise<{
  readonly vars: Readonly<Record<string, unknown>>;
  readonly headers: RequestHeaders;
}>;

const USER_ID = "user123";
const AUDIENCE = "authenticated";

/** Everybody may ask, as when no callers are set. */
export const grantOpenAccess: GrantAccess = async () => ({ vars: {}, headers: { "X-User-ID": USER_ID } });

/** A script may ask by its API key, and names its users. */
export const grantAccessByKey: GrantAccess = async () => {
  const key = randomBytes(32).toString("base64url");
  const keySha256 = sha256Hex(key);
  return {
    vars: { CALLERS: [{ name: "script", key_sha256: keySha256 }] },
    headers: { Authorization: `Bearer ${key}`, "X-User-ID": USER_ID },
  };
};

/** A user may ask by the JWT that an issuer has signed with RS256. */
export const grantAccessByJwt: GrantAccess = async (bench) => {
  const issuer = await bench.keep(startIssuer());
  const jwt = await issuer.signJwt({ sub: USER_ID, aud: AUDIENCE, role: "authenticated" });
  return {
    vars: {
      CALLERS: [{ name: "users", issuer: issuer.url, audience: AUDIENCE, claims: { role: "authenticated" } }],
    },
    headers: { Authorization: `Bearer ${jwt}` },
  };
};
