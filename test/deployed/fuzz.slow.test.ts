import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { checkLog } from "../../tools/soak/process-checks.ts";
import { startKvServer } from "../../tools/workerd/kv-server.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";
import { buildScript, startCozeApp } from "../support/deployed-worker.ts";
import { fetchRequest, sendByFetch } from "./fuzz/fetch-request.ts";
import { fuzzRequest } from "./fuzz/fuzz-request.ts";
import { type RawOutcome, sendRaw } from "./fuzz/raw-http.ts";
import { checkOutcome, type OracleRequest, type Verdict } from "./fuzz/response-oracle.ts";
import { ALLOWED_ORIGINS, API_KEY, type Variant } from "./fuzz/variant.ts";

/** The same requests each time, unless FUZZ_SEED is set. */
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const RAW_REQUESTS = 2000;
const FETCH_REQUESTS = 300;
/** Requests that hang take long, and a test that times out does not show which. */
const TIME_LIMIT_MS = 45_000;

const resources = new AsyncDisposableStack();
let workers: Readonly<Record<Variant["name"], Workerd>>;

/** The Worker as deployed, on raw workerd, which accepts much that Cloudflare's edge would stop. */
beforeAll(async () => {
  const script = await buildScript(resources);
  const { settings } = await startCozeApp(resources);
  const kv = resources.adopt(await startKvServer(), (server) => server.close());

  const start = async (vars: Readonly<Record<string, unknown>>) => {
    const workerd = await startWorkerd({ script, vars: { ...settings, ...vars }, kv: { TOKEN_CACHE: kv.address } });
    return resources.adopt(workerd, (started) => started.close());
  };
  const caller = {
    name: "script",
    key_sha256: sha256Hex(API_KEY),
    origins: ALLOWED_ORIGINS.split(", "),
  };
  workers = { open: await start({}), closed: await start({ ALLOWED_ORIGINS, CALLERS: [caller] }) };
});

afterAll(() => resources.disposeAsync());

/** Each variant responds with all of these and more; if all requests failed the same way, the test would prove little. */
const RESPONSES = {
  open: ["200", "204", "400", "404", "405", "413", "415", "a token"],
  closed: ["200", "204", "400", "401", "403", "404", "405", "413", "415", "a token"],
};

describe.each(["open", "closed"] as const)("a Worker that is %s", (name) => {
  it(`responds properly whatever bytes are sent to an ${name} service (seed ${SEED})`, async () => {
    const verdicts = await fuzz(RAW_REQUESTS, fuzzRequest(variantFor(name)), variantFor(name), (request) =>
      sendRaw({ ...request, port: variantFor(name).port, isHead: request.method === "HEAD" }),
    );
    const fromWorker = verdicts.filter(({ responder }) => responder === "the Worker");
    // What workerd refuses by itself must not be most of what there is.
    expect(fromWorker.length).toBeGreaterThan(verdicts.length / 2);
    expect(fromWorker.map(({ what }) => what)).toEqual(expect.arrayContaining(RESPONSES[name]));
    await expectTokens(name);
  });

  it(`responds properly whatever fetch sends to an ${name} service (seed ${SEED})`, async () => {
    const verdicts = await fuzz(FETCH_REQUESTS, fetchRequest(variantFor(name)), variantFor(name), (request) =>
      sendByFetch(variantFor(name), request),
    );
    expect(new Set(verdicts.map(({ responder }) => responder))).toEqual(new Set(["the Worker"]));
    await expectTokens(name);
  });
});

it("serves pages of listed origins under an invalid Host, which gives the Worker no origin of its own", async () => {
  const head = [
    "POST / HTTP/1.1",
    "Host: a",
    "Host: b",
    "Origin: https://app.example.com",
    `Authorization: ${API_KEY}`,
  ];
  const bytes = `${head.join("\r\n")}\r\n\r\n`;
  const response = await sendRaw({ bytes, port: variantFor("closed").port, isUnfinished: false, isHead: false });
  expect(response).toMatchObject({ status: 200, text: expect.stringContaining("czs_") });
});

/** Whatever came before, the Worker still hands out tokens, and has logged neither a bug nor a secret. */
async function expectTokens(name: Variant["name"]): Promise<void> {
  const headers = { Authorization: `Bearer ${API_KEY}`, "X-User-ID": "ada" };
  const response = await fetch(workers[name].url, { method: "POST", headers });
  expect(await response.json()).toMatchObject({ access_token: expect.stringMatching(/^czs_/) });
  expect(checkLog(workers[name].logLines())).toEqual([]);
}

function variantFor(name: Variant["name"]): Variant {
  return { name, port: Number(new URL(workers[name].url).port) };
}

/** Sends so many requests, stops at the first with a wrong response, and returns what became of the others. */
async function fuzz<Request extends OracleRequest>(
  numRuns: number,
  requests: fc.Arbitrary<Request>,
  variant: Variant,
  send: (request: Request) => Promise<RawOutcome>,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const verdict = checkOutcome(request, variant, await send(request));
      expect(verdict.issues).toEqual([]);
      verdicts.push(verdict);
    }),
    { seed: SEED, numRuns, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: true },
  );
  return verdicts;
}
