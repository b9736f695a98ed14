import { type Coze, createCoze } from "../emulator/client.ts";
import { startEmulator } from "../emulator/server.ts";
import { createKeyPair } from "../lib/key-pair.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { type KvServer, startKvServer } from "../workerd/kv-server.ts";
import { buildWorker } from "../workerd/worker-bundle.ts";
import { startWorkerd, type Workerd } from "../workerd/workerd.ts";

/**
 * Left to itself, V8 lets hundreds of megabytes of garbage stand. So it collects all of it each time it collects any, and
 * does that often: what a process then holds is what it needs.
 */
const V8_FLAGS = ["--gc-global", "--max-semi-space-size=1"];

export const CLIENT_ID = "1127900106117";

/** Who signs an assertion with this, so that the tokens it brings are told from those of the Workers. */
export const FILLER_KID = "filler";

/** The Worker as deployed, in several processes as it is in several places of the world, and all that it talks to. */
export type Deployment = {
  readonly coze: Coze;
  readonly kv: KvServer;
  readonly places: readonly Place[];
  readonly privateKey: string;
};

/** One isolate of the Worker. */
export type Place = {
  readonly workerd: Workerd;
  /** What it signs under. The places share one key, and so one cache; by its id the emulator's list tells them apart. */
  readonly kid: string;
};

/**
 * Builds the Worker and starts it on workerd, behind the stand-in for Cloudflare's edge, once for each upstream timeout
 * given; all share a KV namespace and a Coze emulator. Whatever is started is handed to `resources`.
 */
export async function startDeployment(
  upstreamTimeoutsMs: readonly number[],
  resources: AsyncDisposableStack,
): Promise<Deployment> {
  const { script } = await buildWorker(createPrivateFolder("soak"));

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
