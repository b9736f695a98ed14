import { base64url } from "jose";
import { createCozeEndpoint } from "./adapters/coze-endpoint.ts";
import { createKvTokenStore } from "./adapters/kv-token-store.ts";
import { consoleLog as log } from "./adapters/log.ts";
import { importPrivateKey, type PrivateKey } from "./adapters/private-key.ts";
import { deriveCacheSecrets } from "./adapters/sealing.ts";
import { readSecret } from "./adapters/secret.ts";
import { createSigner } from "./adapters/signer.ts";
import { createTokenMemory } from "./adapters/token-memory.ts";
import { createApp } from "./app.ts";
import { type Config, parseConfig } from "./config.ts";
import { type ExchangePorts, exchange } from "./core/exchange.ts";
import { isProblem, type Problem, type SettingProblem } from "./core/problem.ts";
import { createTokenService } from "./core/token-service.ts";
import type { Service } from "./http/service.ts";

type App = ReturnType<typeof createApp>;

/** Coze suggests more than 32 characters; these are 43 in base64url. */
const ASSERTION_ID_BYTES = 32;

const now = () => Date.now();

/** Made by the first request of the isolate that finds the settings right. */
let app: App | undefined;

export default {
  async fetch(request, env, context) {
    return (app ?? (await loadApp(env))).fetch(request, env, context);
  },
} satisfies ExportedHandler<Env>;

/** Wrong settings are not remembered: a secret that could not be read may be readable a moment later. */
async function loadApp(env: Env): Promise<App> {
  const settings = await readSettings(env);
  // No setting can be trusted then; the answer names settings only, so any page may read it.
  if ("problems" in settings) return createApp({ service: settings, allowedOrigins: "*", log });

  const service = await createService(settings);
  // Requests that arrive together each get here; they go on with one app.
  app ??= createApp({ service, allowedOrigins: settings.config.allowedOrigins, log });
  return app;
}

type Settings = {
  readonly config: Config;
  readonly privateKey: PrivateKey;
  readonly previousKey: PrivateKey | undefined;
};

async function readSettings(env: Env): Promise<Settings | { readonly problems: readonly SettingProblem[] }> {
  const secrets = {
    PRIVATE_KEY: await readSecret(env.PRIVATE_KEY),
    PREVIOUS_PRIVATE_KEY: await readSecret(env.PREVIOUS_PRIVATE_KEY),
  };
  const parsed = parseConfig({ ...env, ...secrets });
  const privateKey = await importKeyText(secrets.PRIVATE_KEY);
  const previousKey = await importKeyText(secrets.PREVIOUS_PRIVATE_KEY);

  const problems = [
    ...("problems" in parsed ? parsed.problems : []),
    ...(isProblem(privateKey) ? [{ setting: "PRIVATE_KEY", ...privateKey }] : []),
    ...(isProblem(previousKey) ? [{ setting: "PREVIOUS_PRIVATE_KEY", ...previousKey }] : []),
  ];
  if ("problems" in parsed || privateKey === undefined || isProblem(privateKey) || isProblem(previousKey)) {
    return { problems };
  }
  return { config: parsed.config, privateKey, previousKey };
}

/** A key that is absent, or no text, is a matter of parseConfig. */
async function importKeyText(secret: unknown): Promise<PrivateKey | Problem | undefined> {
  return typeof secret === "string" && secret.trim() !== "" ? importPrivateKey(secret) : undefined;
}

async function createService({ config, privateKey, previousKey }: Settings): Promise<Service> {
  const { tokenCache: kv } = config;
  const store = kv && createKvTokenStore({ kv, secrets: await deriveCacheSecrets(privateKey.derivationKey), now, log });
  const sleep = (milliseconds: number, signal?: AbortSignal) =>
    scheduler.wait(milliseconds, { ...(signal && { signal }) }).catch(() => undefined);
  const exchangePorts: ExchangePorts = {
    sign: createSigner(privateKey.signingKey, config.kid),
    signWithPrevious: previousKey && config.previousKey && createSigner(previousKey.signingKey, config.previousKey.kid),
    requestToken: createCozeEndpoint({
      tokenEndpoint: config.tokenEndpoint,
      fetch: (url, init) => fetch(url, init),
      now,
    }),
    now,
    sleep,
    random: Math.random,
    createId: () => base64url.encode(crypto.getRandomValues(new Uint8Array(ASSERTION_ID_BYTES))),
    log,
  };
  return {
    issueToken: createTokenService(config, {
      memory: createTokenMemory(),
      store,
      exchange: (grant) => exchange(grant, config, exchangePorts),
      now,
      sleep,
      random: Math.random,
      log,
    }),
    limits: { durationSeconds: config.tokenDurationSeconds, scope: config.tokenScope },
    cache: store ? "kv" : "memory",
    serverTiming: config.serverTiming,
  };
}
