import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Coze, createCoze } from "../../tools/emulator/client.ts";
import { startEmulator } from "../../tools/emulator/server.ts";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { startKvServer } from "../../tools/workerd/kv-server.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";
import { buildScript } from "../support/deployed-worker.ts";

const CLIENT_ID = "1127";
const OLD = { kid: "old", ...createKeyPair() };
const NEW = { kid: "new", ...createKeyPair() };

const OLD_ALONE = { KID: OLD.kid, PRIVATE_KEY: OLD.privateKey };
const NEW_ALONE = { KID: NEW.kid, PRIVATE_KEY: NEW.privateKey };
const NEW_AND_PREVIOUS = { ...NEW_ALONE, PREVIOUS_KID: OLD.kid, PREVIOUS_PRIVATE_KEY: OLD.privateKey };

const CLIENTS = 8;
const PAUSE_MS = 20;
/** Of so many users, besides those who are new. */
const REGULAR_USERS = 20;
/** How long the traffic goes on after each step of the procedure. */
const STEP_MS = 1500;
/** A deployment reaches one isolate after the other. */
const DEPLOYMENT_MS = 500;

const resources = new AsyncDisposableStack();
const workers: Workerd[] = [];
/** Those that requests may reach at this moment. */
let reachable: readonly Workerd[] = [];
let coze: Coze;
let startWorker: (settings: Readonly<Record<string, string>>) => Promise<Workerd>;

beforeAll(async () => {
  const script = await buildScript(resources);
  const emulator = resources.adopt(await startEmulator(), (server) => server.close());
  const kv = resources.adopt(await startKvServer(), (server) => server.close());
  coze = createCoze(emulator.url);
  startWorker = async (settings) => {
    const vars = { CLIENT_ID, TOKEN_ENDPOINT: coze.tokenEndpoint, ...settings };
    const started = await startWorkerd({ script, vars, kv: { TOKEN_CACHE: kv.address } });
    return resources.adopt(started, (worker) => worker.close());
  };
});

afterAll(() => resources.disposeAsync());

it("changes the key as docs/operations.md says without a failed request", async () => {
  await coze.registerApp(CLIENT_ID, [OLD.kid], OLD.publicKey);
  await deploy(OLD_ALONE);
  const traffic = startTraffic();
  const before = await phase();

  // Steps 1 and 2: both pairs are set, before Coze knows the new key.
  await deploy(NEW_AND_PREVIOUS);
  const notKnownYet = await phase();

  // Step 3: Coze knows the new key.
  await coze.addKey(CLIENT_ID, NEW.kid, NEW.publicKey);
  await previousKeyIsOutOfUse();
  const known = await phase();

  // Step 4: the pair is taken away.
  await deploy(NEW_ALONE);
  const alone = await phase();

  // Step 5: the old key is deleted.
  await coze.removeKey(CLIENT_ID, OLD.kid);
  const after = await phase();

  const { requests, failures } = await traffic.stop();
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(500);

  const some = expect.any(Number);
  expect(await exchangesIn(before)).toEqual({ "old 200": some });
  expect(await exchangesIn(notKnownYet)).toEqual({ "new 401": some, "old 200": some });
  for (const later of [known, alone, after]) expect(await exchangesIn(later)).toEqual({ "new 200": some });

  // The previous key has stood in for each refused one, and nothing else was worth a warning.
  const refusals = (await coze.exchanges()).filter(({ status }) => status === 401);
  expect(workers.map(readWarnings)).toEqual([[], refusals.map(() => "previous_key_used"), []]);
});

type Phase = { readonly from: number; readonly to: number };

/** Lets the traffic go on for a while, and tells from when to when that was. */
async function phase(): Promise<Phase> {
  const from = Date.now();
  await sleep(STEP_MS);
  return { from, to: Date.now() };
}

/** Puts a Worker of other settings in the place of the one before, which ends what it has begun. */
async function deploy(settings: Readonly<Record<string, string>>): Promise<void> {
  const worker = await startWorker(settings);
  workers.push(worker);
  reachable = [...reachable, worker];
  await sleep(DEPLOYMENT_MS);
  reachable = [worker];
}

/** Waits until the log has not told of the previous key for a second. */
async function previousKeyIsOutOfUse(): Promise<void> {
  let count: number;
  do {
    count = workers.flatMap(readWarnings).length;
    await sleep(1000);
  } while (workers.flatMap(readWarnings).length > count);
}

function readWarnings(worker: Workerd): readonly string[] {
  return worker.logLines().flatMap((line) => /"level":"(?:warn|error)","event":"(\w+)"/.exec(line)?.[1] ?? []);
}

/** How many exchanges Coze responded to in a phase, by key and status. */
async function exchangesIn({ from, to }: Phase): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { at, assertion, status } of await coze.exchanges()) {
    if (at < from || at >= to) continue;
    const name = `${assertion?.header["kid"]} ${status}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Clients that ask for tokens, one request after the other, and use each token at once. */
function startTraffic() {
  const failures: string[] = [];
  let requests = 0;
  let isOver = false;

  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let turn = 0; !isOver; turn += 1) {
      const user = turn % 2 === 0 ? `regular-${turn % REGULAR_USERS}` : `new-${client}-${turn}`;
      const worker = reachable[(client + turn) % reachable.length];
      const failure = worker ? await failureFor(worker, user).catch(String) : "no Worker is there";
      if (failure !== undefined) failures.push(failure);
      requests += 1;
      await sleep(PAUSE_MS);
    }
  });

  return {
    async stop() {
      isOver = true;
      await Promise.all(clients);
      return { requests, failures };
    },
  };
}

/** Why a user has no token that Coze takes at this moment; `undefined` when all is well. */
async function failureFor(worker: Workerd, user: string): Promise<string | undefined> {
  const response = await fetch(worker.url, { method: "POST", headers: { "X-User-ID": user } });
  const text = await response.text();
  if (response.status !== 200) return `${response.status} ${text}`;

  const { access_token: token } = JSON.parse(text);
  return (await coze.accepts(token)) ? undefined : `Coze does not accept the token of ${user}`;
}
