import { Hono } from "hono";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { serveOnLoopback } from "../lib/loopback-server.ts";

/** Somebody who signs the JWTs of logged-in users, as an OpenID provider does. */
export type Issuer = {
  readonly url: string;
  /** Signs claims with RS256, good for an hour. */
  readonly signJwt: (claims: Readonly<Record<string, string>>) => Promise<string>;
  readonly close: () => Promise<void>;
};

/** Starts an issuer on a free port of the loopback address, with a new key of 2048 bits. */
export async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "RS256", use: "sig" };

  const app = new Hono()
    .get("/.well-known/openid-configuration", (c) => {
      const { origin } = new URL(c.req.url);
      return c.json({ issuer: origin, jwks_uri: `${origin}/jwks` });
    })
    .get("/jwks", (c) => c.json({ keys: [jwk] }));
  const { url, close } = await serveOnLoopback(app.fetch);
  return {
    url,
    close,
    signJwt: (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "RS256", kid: jwk.kid })
        .setIssuer(url)
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(privateKey),
  };
}
