import { tracing } from "cloudflare:workers";
import { base64url } from "jose";
import { version } from "../package.json";
import { createIssuerKeys } from "./adapters/auth/issuer-keys.ts";
import { claimedIssuer, createJwtVerifier } from "./adapters/auth/jwt-verifier.ts";
import { createKeyMatcher, digestCredential } from "./adapters/auth/key-matcher.ts";
import { createRateLimiter } from "./adapters/auth/rate-limiter.ts";
import { createTurnstileVerifier } from "./adapters/auth/turnstile-verifier.ts";
import { createKvTokenStore } from "./adapters/cache/kv-token-store.ts";
import { deriveCacheSecrets, deriveLogKey } from "./adapters/cache/sealing.ts";
import { createTokenMemory } from "./adapters/cache/token-memory.ts";
import { createConsolePageFetcher } from "./adapters/console-page.ts";
import { createCozeEndpoint } from "./adapters/coze/coze-endpoint.ts";
import { importPrivateKey, type PrivateKey } from "./adapters/coze/private-key.ts";
import { readSecret } from "./adapters/coze/secret.ts";
import { createSigner } from "./adapters/coze/signer.ts";
import { createAuditLog } from "./adapters/logging/audit-log.ts";
import { consoleLog as log } from "./adapters/logging/console-log.ts";
import { createDigester, type Digester } from "./adapters/logging/digester.ts";
import { createApp } from "./app.ts";
import { type Config, parseConfig } from "./config/config.ts";
import { consoleAssetsFor } from "./config/console-assets.ts";
import type { WorkerEnv } from "./config/settings.ts";
import { createAuthenticator } from "./core/auth/authenticator.ts";
import { isOpen } from "./core/auth/caller.ts";
import { limitsFor } from "./core/auth/caller-limits.ts";
import { createSessionNames } from "./core/auth/session-name.ts";
import { issuesAt, type Parsed } from "./core/issue.ts";
import { createCircuitBreaker } from "./core/token/circuit-breaker.ts";
import { type ExchangePorts, exchange } from "./core/token/exchange.ts";
import { createTokenService } from "./core/token/token-service.ts";
import type { ReadyService } from "./http/service.ts";

type App = ReturnType<typeof createApp>;

/** Coze suggests more than 32 characters; these are 43 in base64url. */
const ASSERTION_ID_BYTES = 32;

const now = () => Date.now();
const activeSpan = () => tracing.getActiveSpan();
const fetchOutside = (url: string, init: RequestInit) => fetch(url, init);
const sleep = (milliseconds: number, signal?: AbortSignal) =>
  scheduler.wait(milliseconds, { ...(signal && { signal }) }).catch(() => undefined);

/** Made by the first request of the isolate that finds the settings right. */
let app: App | undefined;

export default {
  async fetch(request, env, context) {
    const startedAt = now();
    return (app ?? (await loadApp(env))).fetch(request, { startedAt }, context);
  },
} satisfies ExportedHandler<WorkerEnv>;

/** Wrong settings are not remembered: a secret that could not be read may be readable a moment later. */
async function loadApp(env: WorkerEnv): Promise<App> {
  const settings = await readSettings(env);
  // The binding is not there in a deployment whose wrangler.toml is older.
  const release = { version, deployment: env.CF_VERSION_METADATA?.id };
  const common = { log, release, getConsolePage: createConsolePageFetcher(() => consoleAssetsFor(env)), now };
  // No setting can be trusted then. The response names settings only, so any page may read it.
  if ("issues" in settings) {
    const audit = createAuditLog({ log, userDigest: async () => undefined, metrics: undefined, activeSpan });
    return createApp({ service: settings, allowedOrigins: "*", audit, ...common });
  }

  const { config, privateKey } = settings.value;
  const digester = createDigester(await deriveLogKey(privateKey.derivationKey));
  const service = await createService(settings.value, digester);
  const audit = createAuditLog({ log, userDigest: digester.userDigest, metrics: config.metrics, activeSpan });
  // Requests that arrive together each get here; they go on with one app.
  if (app === undefined) {
    app = createApp({ service, allowedOrigins: config.allowedOrigins, audit, ...common });
    log("info", "ready", { access: service.access, cache: service.cache });
  }
  return app;
}

type Settings = {
  readonly config: Config;
  readonly privateKey: PrivateKey;
  readonly previousKey: PrivateKey | undefined;
};

async function readSettings(env: WorkerEnv): Promise<Parsed<Settings>> {
  const [PRIVATE_KEY, PREVIOUS_PRIVATE_KEY] = await Promise.all([
    readSecret(env.PRIVATE_KEY),
    readSecret(env.PREVIOUS_PRIVATE_KEY),
  ]);
  const [config, privateKey, previousKey] = await Promise.all([
    parseConfig({ ...env, PRIVATE_KEY, PREVIOUS_PRIVATE_KEY }),
    importKey(PRIVATE_KEY),
    importKey(PREVIOUS_PRIVATE_KEY),
  ]);

  const issues = [
    ...("issues" in config ? config.issues : []),
    ...("issues" in privateKey ? issuesAt("PRIVATE_KEY", privateKey) : []),
    ...("issues" in previousKey ? issuesAt("PREVIOUS_PRIVATE_KEY", previousKey) : []),
  ];
  if ("issues" in config || "issues" in privateKey || "issues" in previousKey || privateKey.value === undefined) {
    return { issues };
  }
  return { value: { config: config.value, privateKey: privateKey.value, previousKey: previousKey.value } };
}

/** A key that is absent, or not a string, is a matter of parseConfig. */
async function importKey(secret: unknown): Promise<Parsed<PrivateKey | undefined>> {
  return typeof secret === "string" && secret.trim() !== "" ? importPrivateKey(secret) : { value: undefined };
}

async function createService({ config, privateKey, previousKey }: Settings, digester: Digester): Promise<ReadyService> {
  const { tokenCache: kv } = config;
  const store = kv && createKvTokenStore({ kv, secrets: await deriveCacheSecrets(privateKey.derivationKey), now, log });
  const exchangePorts: ExchangePorts = {
    sign: createSigner(privateKey.signingKey, config.kid),
    signWithPrevious: previousKey && config.previousKey && createSigner(previousKey.signingKey, config.previousKey.kid),
    requestToken: createCozeEndpoint({
      tokenEndpoint: config.tokenEndpoint,
      fetch: fetchOutside,
      digester,
      now,
    }),
    circuit: createCircuitBreaker({ attemptTimeoutMs: config.upstreamTimeoutMs, now, random: Math.random, log }),
    now,
    sleep,
    random: Math.random,
    createId: () => base64url.encode(crypto.getRandomValues(new Uint8Array(ASSERTION_ID_BYTES))),
    log,
  };
  const limits = { durationSeconds: config.tokenDurationSeconds, scope: config.tokenScope };
  const callerCounts = new Map(
    [...config.callerLimiters].map(([name, binding]) => [name, createRateLimiter(binding, log)]),
  );
  return {
    getToken: createTokenService(config, {
      memory: createTokenMemory(),
      store,
      exchange: (grant, countExchange) => exchange(grant, countExchange, config, exchangePorts),
      now,
      sleep,
      random: Math.random,
      log,
    }),
    authenticate: createAuthenticator(config.callers, {
      digestOf: digestCredential,
      createKeyMatcher,
      claimedIssuer,
      verifyJwt: createJwtVerifier(createIssuerKeys({ fetch: fetchOutside, now, sleep }), now),
    }),
    limitsFor: (caller) => limitsFor(caller, limits),
    sessionNameFor: createSessionNames(config.callers),
    countRequest: config.rateLimiter && createRateLimiter(config.rateLimiter, log),
    countExchange: config.exchangeLimiter && createRateLimiter(config.exchangeLimiter, log),
    callerCountFor: ({ limiter = "" }) => callerCounts.get(limiter),
    verifyTurnstile: createTurnstileVerifier({
      secretKey: config.turnstileSecretKey,
      siteverifyEndpoint: config.turnstileEndpoint,
      fetch: fetchOutside,
      now,
    }),
    credentialKinds: new Set(config.callers.map(({ credentialRule }) => credentialRule.kind)),
    access: isOpen(config.callers) ? "open" : "closed",
    cache: store ? "kv" : "memory",
    serverTiming: config.serverTiming,
  };
}
