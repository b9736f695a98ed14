import { randomUUID } from "node:crypto";
import { importPKCS8, SignJWT } from "jose";
import { createKvTokenStore } from "../../src/adapters/cache/kv-token-store.ts";
import { deriveCacheSecrets, deriveLogKey } from "../../src/adapters/cache/sealing.ts";
import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { createDigester } from "../../src/adapters/logging/digester.ts";
import { createCacheKeyFor } from "../../src/core/token/cache-key.ts";
import type { AccessToken } from "../../src/core/token/token.ts";
import { type Coze, createCoze } from "../emulator/client.ts";
import { startEmulator } from "../emulator/server.ts";
import { createKeyPair } from "../lib/key-pair.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { type KvServer, startKvServer } from "../workerd/kv-server.ts";
import { buildWorker } from "../workerd/worker-bundle.ts";
import { startWorkerd, type Workerd } from "../workerd/workerd.ts";
import { DEFAULT_DURATION_SECONDS } from "./exchange-bound.ts";

/**
 * By default, V8 leaves hundreds of megabytes of garbage. With these flags it collects all of it each time it collects any,
 * and does that often: what a process then holds is what it needs.
 */
const V8_FLAGS = ["--gc-global", "--max-semi-space-size=1"];

const CLIENT_ID = "1127900106117";

/** The key id of assertions that no Worker has signed; the emulator's list tells their tokens apart by it. */
const FILLER_KID = "filler";
const AUDIENCE = "api.coze.cn";

/** Above the line of 90 s at which a token of 900 s is renewed before a response, and below 202 s, where all are ageing. */
const AGEING_SECONDS_LEFT = 130;

/** The Worker as deployed, in several processes as it is in several places of the world, and the services that it uses. */
export type Deployment = {
  readonly coze: Coze;
  readonly kv: KvServer;
  readonly places: readonly Place[];
  readonly privateKey: string;
};

/** One isolate of the Worker. */
export type Place = {
  readonly workerd: Workerd;
  /** Its key id. The places share one key, and so one cache; the emulator's list tells them apart by the id. */
  readonly kid: string;
};

/**
 * Builds the Worker and starts it on workerd, behind the stand-in for Cloudflare's edge, once for each upstream timeout;
 * all share a KV namespace and a Coze emulator. Everything that is started belongs to `resources`.
 */
export async function startDeployment(
  upstreamTimeoutsMs: readonly number[],
  resources: AsyncDisposableStack,
): Promise<Deployment> {
  const { script } = await buildWorker(resources.use(createPrivateFolder("soak")).path);

  const emulator = resources.adopt(await startEmulator(), (server) => server.close());
  const kv = resources.adopt(await startKvServer(), (server) => server.close());
  const coze = createCoze(emulator.url);
  const kids = upstreamTimeoutsMs.map((_, index) => `place-${index + 1}`);
  const { publicKey, privateKey } = createKeyPair();
  await coze.registerApp(CLIENT_ID, [...kids, FILLER_KID], publicKey);

  const places: Place[] = [];
  for (const [index, kid] of kids.entries()) {
    const vars = {
      CLIENT_ID,
      KID: kid,
      PRIVATE_KEY: privateKey,
      TOKEN_ENDPOINT: coze.tokenEndpoint,
      UPSTREAM_TIMEOUT_MS: upstreamTimeoutsMs[index],
    };
    const workerd = await startWorkerd({
      script,
      vars,
      kv: { TOKEN_CACHE: kv.address },
      edge: true,
      v8Flags: V8_FLAGS,
      detached: true,
    });
    resources.defer(() => workerd.close());
    places.push({ workerd, kid });
  }
  return { coze, kv, places, privateKey };
}

/**
 * Puts a token of the default duration into KV for each user, as another isolate would have left it there in the last
 * quarter of its life. A run is shorter than that life, so there would be no renewals behind a response without them.
 */
export async function putAgeingTokens(
  { coze, kv, privateKey }: Deployment,
  users: readonly (string | undefined)[],
): Promise<void> {
  const imported = await importPrivateKey(privateKey);
  if ("issues" in imported) throw new Error(imported.issues[0]?.message);
  const key = imported.value;
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
      duration_seconds: AGEING_SECONDS_LEFT,
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
