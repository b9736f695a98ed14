import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CozeAPI } from "@coze/api";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { cozeChatAuth, createTokenProvider, isTokenRejection } from "../../src/client/client.ts";
import { type Coze, createCoze } from "../../tools/emulator/client.ts";
import { startEmulator } from "../../tools/emulator/server.ts";
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { buildWorker } from "../../tools/workerd/worker-bundle.ts";
import { startWorkerd, type Workerd } from "../../tools/workerd/workerd.ts";

/** The service returns a token that is younger than this although it was rejected. One second for rounding. */
const MIN_REJECTED_AGE_MS = 11_000;

let folder: string;
let emulator: Awaited<ReturnType<typeof startEmulator>>;
let coze: Coze;
let worker: Workerd;

/** The Worker as deployed, and the Coze emulator. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coze-token-worker-client-"));
  const { script } = await buildWorker(folder);
  const { privateKey, publicKey } = createKeyPair();
  emulator = await startEmulator();
  coze = createCoze(emulator.url);
  await coze.registerApp("1127", ["kid"], publicKey);
  worker = await startWorkerd({
    script,
    vars: { CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: privateKey, TOKEN_ENDPOINT: coze.tokenEndpoint },
  });
});

afterAll(async () => {
  await worker.close();
  await emulator.close();
  await rm(folder, { recursive: true });
});

/** A provider for a user of its own, and the number of exchanges that were made for that user. */
function provideFor(userId: string) {
  const getToken = createTokenProvider({ endpoint: worker.url, userId });
  const exchangeCount = async () =>
    (await coze.exchanges()).filter(({ assertion }) => assertion?.claims?.["session_name"] === userId).length;
  return { getToken, exchangeCount };
}

const rejectionOf = (call: Promise<unknown>) => call.then(() => undefined).catch((error: unknown) => error);

describe("@coze/api with the token provider", () => {
  it.concurrent("replaces a revoked token of @coze/api with one renewal", async () => {
    const { getToken, exchangeCount } = provideFor("ada");
    const client = new CozeAPI({ baseURL: emulator.url, token: getToken });
    await client.users.me();
    const token = await getToken();
    await coze.revoke("ada");

    const error = await rejectionOf(client.users.me());
    expect(isTokenRejection(error)).toBe(true);
    expect(await getToken({ rejectedToken: token })).toBe(token);
    expect(await exchangeCount()).toBe(1);

    await sleep(MIN_REJECTED_AGE_MS);
    const renewed = await Promise.all(Array.from({ length: 20 }, () => getToken({ rejectedToken: token })));
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(token);
    expect(await client.users.me()).toMatchObject({ user_name: "owner_1127" });
    expect(await exchangeCount()).toBe(2);
  });

  it.concurrent("replaces the rejected token that a chat SDK passes back", async () => {
    const { getToken, exchangeCount } = provideFor("bob");
    const auth = await cozeChatAuth(getToken);
    await coze.revoke("bob");
    await sleep(MIN_REJECTED_AGE_MS);
    const token = await auth.onRefreshToken(auth.token);
    expect(await coze.accepts(token)).toBe(true);
    expect(await exchangeCount()).toBe(2);
  });

  it.concurrent("does not treat an unreachable Coze as a rejected token", async () => {
    const { getToken } = provideFor("eve");
    const client = new CozeAPI({ baseURL: "http://127.0.0.1:1", token: getToken });
    expect(isTokenRejection(await rejectionOf(client.users.me()))).toBe(false);
  });

  it.concurrent("passes through @coze/api why the service issued no token", async () => {
    const getToken = createTokenProvider({ endpoint: worker.url, userId: "x".repeat(129) });
    const error = await rejectionOf(new CozeAPI({ baseURL: emulator.url, token: getToken }).users.me());
    expect(error).toMatchObject({ name: "TokenProviderError", code: "invalid_request", status: 400 });
    expect(isTokenRejection(error)).toBe(false);
  });
});

describe("a WebSocket client of @coze/api with the token provider", () => {
  it("connects a WebSocket of @coze/api with a fresh token each time", async () => {
    const authorizations: (string | null)[] = [];
    const server = createServer().on("upgrade", (request, socket) => {
      authorizations.push(new URL(request.url ?? "", "ws://127.0.0.1").searchParams.get("authorization"));
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one

    let issued = 0;
    const client = new CozeAPI({
      token: async () => `token-${++issued}`,
      baseWsURL: `ws://127.0.0.1:${port}`,
      websocketOptions: { maxRetries: 0, minReconnectionDelay: 1, maxReconnectionDelay: 10 },
    });
    for (let connection = 1; connection <= 2; connection += 1) {
      const socket = await client.websockets.chat.create({ bot_id: "1" });
      await new Promise<void>((resolve) => {
        socket.onerror = () => resolve();
        socket.onclose = () => resolve();
      });
      await vi.waitUntil(() => authorizations.length === connection);
      // Longer than the SDK would wait before it connects again.
      await sleep(200);
    }
    server.close();
    expect(authorizations).toEqual(["Bearer token-1", "Bearer token-2"]);
  });
});
