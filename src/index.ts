import { base64url } from "jose";
import { createCozeEndpoint } from "./adapters/coze-endpoint.ts";
import { createKvTokenCache } from "./adapters/kv-token-cache.ts";
import { consoleLog as log } from "./adapters/log.ts";
import { importPrivateKey, type PrivateKey } from "./adapters/private-key.ts";
import { deriveCacheSecrets } from "./adapters/sealing.ts";
import { readSecret } from "./adapters/secret.ts";
import { createSigner } from "./adapters/signer.ts";
import { createApp } from "./app.ts";
import { type Config, parseConfig } from "./config.ts";
import { type ExchangePorts, exchange } from "./core/exchange.ts";
import { isProblem, type SettingProblem } from "./core/problem.ts";
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

  const service = await createService(settings.config, settings.privateKey);
  // Requests that arrive together each get here; they go on with one app.
  app ??= createApp({ service, allowedOrigins: settings.config.allowedOrigins, log });
  return app;
}

type Settings =
  | { readonly config: Config; readonly privateKey: PrivateKey }
  | { readonly problems: readonly SettingProblem[] };

async function readSettings(env: Env): Promise<Settings> {
  const secret = await readSecret(env.PRIVATE_KEY);
  const parsed = parseConfig({ ...env, PRIVATE_KEY: secret });
  const privateKey = typeof secret === "string" && secret.trim() !== "" ? await importPrivateKey(secret) : undefined;

  const problems = "problems" in parsed ? parsed.problems : [];
  if (isProblem(privateKey)) return { problems: [...problems, { setting: "PRIVATE_KEY", ...privateKey }] };
  if ("problems" in parsed || privateKey === undefined) return { problems };
  return { config: parsed.config, privateKey };
}

async function createService(config: Config, privateKey: PrivateKey): Promise<Service> {
  const { tokenCache: kv } = config;
  const cache = kv && createKvTokenCache({ kv, secrets: await deriveCacheSecrets(privateKey.derivationKey), now, log });
  const ports: ExchangePorts = {
    sign: createSigner(privateKey.signingKey, config.kid),
    requestToken: createCozeEndpoint({
      tokenEndpoint: config.tokenEndpoint,
      fetch: (url, init) => fetch(url, init),
      now,
    }),
    now,
    sleep: (milliseconds) => scheduler.wait(milliseconds),
    random: Math.random,
    createId: () => base64url.encode(crypto.getRandomValues(new Uint8Array(ASSERTION_ID_BYTES))),
  };
  return {
    issueToken: createTokenService(config, { cache, exchange: (grant) => exchange(grant, config, ports), now }),
    limits: { durationSeconds: config.tokenDurationSeconds, scope: config.tokenScope },
    cache: cache ? "kv" : "none",
  };
}
