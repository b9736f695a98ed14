import { randomUUID } from "node:crypto";
import { importPKCS8, SignJWT } from "jose";
import { createKvTokenStore } from "../../src/adapters/cache/kv-token-store.ts";
import { deriveCacheSecrets, deriveLogKey } from "../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { createDigester } from "../../src/adapters/logging/digester.ts";
import { isProblem } from "../../src/core/issue.ts";
import { createCacheKeyFor } from "../../src/core/token/cache-key.ts";
import type { AccessToken } from "../../src/core/token/token.ts";
import { CLIENT_ID, type Deployment, FILLER_KID } from "./deployment.ts";
import { DEFAULT_DURATION_SECONDS } from "./request-record.ts";

const AUDIENCE = "api.coze.cn";

/** Above the line of 90 s at which a token of 900 s is renewed before an answer, and below 202 s, where all are ageing. */
const SECONDS_LEFT = 130;

/**
 * Puts a token of the default duration into KV for each user, as another isolate would have left it there in the last
 * quarter of its life. A run is shorter than that life, and would not come to renewals behind an answer without them.
 */
export async function putAgeingTokens(
  { coze, kv, privateKey }: Deployment,
  users: readonly (string | undefined)[],
): Promise<void> {
  const key = await importPrivateKey(privateKey);
  if (isProblem(key)) throw new Error(key.problem);
  const store = createKvTokenStore({
    kv: namespaceAt(kv.address),
    secrets: await deriveCacheSecrets(key.derivationKey),
    now: Date.now,
    log: () => undefined,
  });
  const digester = createDigester(await deriveLogKey(key.derivationKey));
  const signingKey = await importPKCS8(privateKey, "RS256");
  for (const user of users) {
    const grant = { userId: user, durationSeconds: DEFAULT_DURATION_SECONDS, scope: undefined };
    const source = { clientId: CLIENT_ID, audience: AUDIENCE, tokenEndpoint: coze.tokenEndpoint };
    const { accessToken, expiresAt } = await exchange(coze.tokenEndpoint, signingKey, user);
    const issuedAt = expiresAt - DEFAULT_DURATION_SECONDS;
    const digests = await digester.tokenDigests(accessToken, user);
    const token: AccessToken = { accessToken, issuedAt, expiresAt, digests };
    const { write } = await store.open(createCacheKeyFor(source)(grant));
    await write(token);
  }
}

async function exchange(tokenEndpoint: string, signingKey: CryptoKey, user: string | undefined) {
  const assertion = await new SignJWT({ ...(user !== undefined && { session_name: user }) })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: FILLER_KID })
    .setIssuer(CLIENT_ID)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime("5 minutes")
    .setJti(randomUUID())
    .sign(signingKey);
  const response = await fetch(tokenEndpoint, {
    method: "POST",
    headers: { Authorization: `Bearer ${assertion}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      duration_seconds: SECONDS_LEFT,
    }),
  });
  if (!response.ok) throw new Error(`The emulator issued no token: ${await response.text()}`);
  const { access_token: accessToken, expires_in: expiresAt } = (await response.json()) as {
    access_token: string;
    expires_in: number;
  }; // the emulator's documented shape
  return { accessToken, expiresAt };
}

/** As much of a KV namespace as writing takes; to a reader it is empty. */
function namespaceAt(address: string): KVNamespace {
  const namespace = {
    get: async () => null,
    async put(name: string, value: unknown, options?: KVNamespacePutOptions) {
      const url = `http://${address}/${encodeURIComponent(name)}?expiration=${options?.expiration}`;
      await fetch(url, { method: "PUT", body: value as ArrayBuffer }); // what a sealed token is
    },
  };
  return namespace as unknown as KVNamespace; // the rest of it is not used
}
