import { createTokenMemory } from "../../src/adapters/cache/token-memory.ts";
import type { Log } from "../../src/core/log.ts";
import { createCircuitBreaker } from "../../src/core/token/circuit-breaker.ts";
import { type ExchangePorts, exchange } from "../../src/core/token/exchange.ts";
import { createTokenService, type TokenService, type TokenStore } from "../../src/core/token/token-service.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Tokens that Coze has issued. */
export type ExchangeCounts = { exchanges: number };

export type IsolateOptions = {
  readonly clock: VirtualClock;
  readonly store: TokenStore | undefined;
  /** The size of the memory. */
  readonly maxTokens: number;
  readonly counts: ExchangeCounts;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
};

/** Coze's response, and the way to it; a guess that matters only for requests that overlap. */
const UPSTREAM_MS = 300;
const UPSTREAM_TIMEOUT_MS = 5000;

const SOURCE = { clientId: "simulated", audience: "api.coze.com", tokenEndpoint: "https://api.coze.com" };
const SETTINGS = { ...SOURCE, assertionDurationSeconds: 60, upstreamTimeoutMs: UPSTREAM_TIMEOUT_MS };

/** Nothing goes wrong in the simulation, so whatever is written here is an error of its own. */
const log: Log = (_level, event) => {
  throw new Error(`The simulated service wrote to its log: ${event}`);
};

/**
 * Creates the token service as `src/index.ts` does for an isolate, with the service, memory, freshness, single flight,
 * exchange and circuit breaker of the Worker. Coze, the signature and KV are simulated; no limit applies.
 */
export function createIsolate({ clock, store, maxTokens, counts, random }: IsolateOptions): TokenService {
  const { now, sleep } = clock;
  const ports: ExchangePorts = {
    sign: async () => "",
    signWithPrevious: undefined,
    async requestToken({ issuedAt }, { durationSeconds }) {
      counts.exchanges += 1;
      const accessToken = String(counts.exchanges);
      await sleep(UPSTREAM_MS);
      const digests = { token: "", user: undefined };
      return { token: { accessToken, issuedAt, expiresAt: issuedAt + durationSeconds, digests }, logId: undefined };
    },
    circuit: createCircuitBreaker({ attemptTimeoutMs: UPSTREAM_TIMEOUT_MS, now, random, log }),
    now,
    sleep,
    random,
    createId: () => "",
    log,
  };
  return createTokenService(SOURCE, {
    memory: createTokenMemory(maxTokens),
    store,
    exchange: (grant, countExchange) => exchange(grant, countExchange, SETTINGS, ports),
    now,
    sleep,
    random,
    log,
  });
}
