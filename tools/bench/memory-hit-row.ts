import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { serveOnLoopback } from "../lib/loopback-server.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { startKvServer } from "../workerd/kv-server.ts";
import { startWorkerd } from "../workerd/workerd.ts";
import type { Bench } from "./bench.ts";
import { compare } from "./comparison.ts";
import { checkSameResponse, type RequestHeaders, readResponse } from "./load.ts";
import { expectCount, type Row } from "./row.ts";
import { startUpstream, startWorkerUnderTest } from "./worker-under-test.ts";

/** Creates the settings of one kind of access, and the headers of a request that it allows. */
export type GrantAccess = (bench: Bench) => Promise<{
  readonly vars: Readonly<Record<string, unknown>>;
  readonly headers: RequestHeaders;
}>;

/** Long enough that each round has its share of what the runtime does now and then, such as collecting garbage. */
const REQUESTS = 5000;
const CONNECTIONS = 16;

const USER_ID = "user123";
const AUDIENCE = "authenticated";

/** The row of a token from memory, for one kind of access, against an app that repeats the same response. */
export function createMemoryHitRow({
  grantAccess,
  ...row
}: Omit<Row, "measure"> & { readonly grantAccess: GrantAccess }): Row {
  return {
    ...row,
    async measure(bench) {
      const upstream = await bench.keep(startUpstream());
      const kv = await bench.keep(startKvServer());
      const { vars, headers } = await grantAccess(bench);
      const ours = await startWorkerUnderTest(bench, {
        tokenEndpoint: upstream.tokenEndpoint,
        kvAddress: kv.address,
        vars,
      });
      await readResponse(ours.url, headers);
      const hit = await readResponse(ours.url, headers);

      const baselineVars = { RESPONSE: hit.json, RESPONSE_HEADERS: hit.headers };
      const baseline = await bench.keep(startWorkerd({ script: bench.bundles.bare, vars: baselineVars }));
      await checkSameResponse(baseline.url, headers, hit);

      const load = { nextRequests: () => [headers], amount: Math.ceil(REQUESTS * bench.effort.share) };
      const measurement = await compare(
        {
          ours: { worker: ours, ...load },
          baseline: { worker: baseline, ...load },
          connections: CONNECTIONS,
          ratioOf: "cpu",
        },
        bench,
      );
      expectCount("exchanges", upstream.exchanges(), 1);
      expectCount("reads of KV", kv.reads(), 1);
      return measurement;
    },
  };
}

/** Open access, as when no callers are set. */
export const grantOpenAccess: GrantAccess = async () => ({ vars: {}, headers: { "X-User-ID": USER_ID } });

/** Access for a script by its API key; the script names its users. */
export const grantAccessByKey: GrantAccess = async () => {
  const key = randomBytes(32).toString("base64url");
  const keySha256 = sha256Hex(key);
  return {
    vars: { CALLERS: [{ name: "script", key_sha256: keySha256 }] },
    headers: { Authorization: `Bearer ${key}`, "X-User-ID": USER_ID },
  };
};

/** Access for a user by a JWT that an issuer has signed with RS256. */
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

/** Signs the JWTs of logged-in users, as an OpenID provider does. */
type Issuer = {
  readonly url: string;
  /** Signs claims with RS256, good for an hour. */
  readonly signJwt: (claims: Readonly<Record<string, string>>) => Promise<string>;
  readonly close: () => Promise<void>;
};

/** Starts an issuer on a free port of the loopback address, with a new key of 2048 bits. */
async function startIssuer(): Promise<Issuer> {
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
