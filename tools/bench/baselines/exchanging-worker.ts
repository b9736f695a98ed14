import { Hono } from "hono";
import { importPKCS8, SignJWT } from "jose";

type Env = {
  readonly Bindings: {
    readonly CLIENT_ID: string;
    readonly KID: string;
    readonly PRIVATE_KEY: string;
    readonly TOKEN_ENDPOINT: string;
  };
};

const ASSERTION_SECONDS = 3600;
const TOKEN_SECONDS = 900;

/** Imported by the first request of the isolate. */
let signingKey: CryptoKey | undefined;

/** A Hono app that signs an assertion and exchanges it, for every request anew: no cache, no checks, no second try. */
const exchangingWorker = new Hono<Env>().post("/", async (c) => {
  const response = await fetch(c.env.TOKEN_ENDPOINT, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${await signAssertion(c.env, c.req.header("X-User-ID"))}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      duration_seconds: TOKEN_SECONDS,
    }),
  });
  return c.json(await response.json());
});

/** Signs the claims that the Worker signs. */
async function signAssertion(env: Env["Bindings"], userId: string | undefined): Promise<string> {
  signingKey ??= await importPKCS8(env.PRIVATE_KEY, "RS256");
  const now = Math.floor(Date.now() / 1000);
  const jti = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const claims = { iss: env.CLIENT_ID, aud: "api.coze.cn", iat: now, exp: now + ASSERTION_SECONDS, jti };
  return new SignJWT({ ...claims, session_name: userId })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: env.KID })
    .sign(signingKey);
}

// biome-ignore lint/style/noDefaultExport: workerd looks for the default export of a module.
export default exchangingWorker;
