import type { Caller } from "../core/auth/caller.ts";
import type { AllowedOrigins } from "../core/auth/origins.ts";
import type { CozeScope } from "../core/grant/coze-scope.ts";
import type { Parsed } from "../core/issue.ts";
import { parseCallerLimiters } from "./caller-limiters.ts";
import { audienceFor } from "./coze-region.ts";
import { crossIssues } from "./cross-checks.ts";
import { nearNameIssues } from "./near-names.ts";
import { parseSettings, SETTING_NAMES, type Settings } from "./settings.ts";

/** The settings of the Worker, checked and typed. */
export type Config = {
  readonly clientId: string;
  readonly kid: string;
  /** As pasted: PEM in one of many forms, or its base64 body. Whether it is a key shows when it is imported. */
  readonly privateKey: string;
  /** The key that was in use before, while the current one is being introduced at Coze. */
  readonly previousKey: { readonly kid: string; readonly privateKey: string } | undefined;
  readonly audience: string;
  readonly tokenEndpoint: string;
  /** Default and ceiling of a token's life. */
  readonly tokenDurationSeconds: number;
  readonly assertionDurationSeconds: number;
  /** The scope of every token; `undefined`: all permissions of the app. */
  readonly tokenScope: CozeScope | undefined;
  readonly allowedOrigins: AllowedOrigins;
  /** One attempt at Coze. */
  readonly upstreamTimeoutMs: number;
  readonly tokenCache: KVNamespace | undefined;
  /** Not empty; `ANYONE` if CALLERS is not set. */
  readonly callers: readonly Caller[];
  /** Set exactly where a caller has to pass Turnstile. */
  readonly turnstileSecretKey: string | undefined;
  readonly turnstileEndpoint: string;
  readonly rateLimiter: RateLimit | undefined;
  readonly exchangeLimiter: RateLimit | undefined;
  /** The rate limiters that callers name, by the names of their bindings. */
  readonly callerLimiters: ReadonlyMap<string, RateLimit>;
  readonly metrics: AnalyticsEngineDataset | undefined;
  readonly serverTiming: boolean;
};

/**
 * Parses all settings from the environment of the Worker. Strings are trimmed, blank ones count as absent, and numbers
 * may be strings. A blank CALLERS is an issue: unset means that anyone may call.
 * A name that is nearly that of a setting is an issue too.
 * @returns the settings, or every issue with them, by name and never with a value.
 */
export async function parseConfig(env: object): Promise<Parsed<Config>> {
  const variables = { ...env };
  const { settings, issues } = await parseSettings(variables);
  const limiters = parseCallerLimiters(variables);
  const allIssues = [
    ...issues,
    ...crossIssues(settings),
    ...("issues" in limiters ? limiters.issues : []),
    ...nearNameIssues(variables, SETTING_NAMES),
  ];
  if (allIssues.length > 0 || "issues" in limiters) return { issues: allIssues };
  return { value: configFor(settings as Settings, limiters.value) }; // without an issue, none is left out
}

function configFor(settings: Settings, callerLimiters: Config["callerLimiters"]): Config {
  return {
    clientId: settings.CLIENT_ID,
    kid: settings.KID,
    privateKey: settings.PRIVATE_KEY,
    previousKey: previousKeyFor(settings),
    audience: settings.AUDIENCE ?? audienceFor(settings.TOKEN_ENDPOINT),
    tokenEndpoint: settings.TOKEN_ENDPOINT.href,
    tokenDurationSeconds: settings.TOKEN_DURATION,
    assertionDurationSeconds: settings.ASSERTION_DURATION,
    tokenScope: settings.TOKEN_SCOPE,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    upstreamTimeoutMs: settings.UPSTREAM_TIMEOUT_MS,
    tokenCache: settings.TOKEN_CACHE,
    callers: settings.CALLERS,
    turnstileSecretKey: settings.TURNSTILE_SECRET_KEY,
    turnstileEndpoint: settings.TURNSTILE_ENDPOINT.href,
    rateLimiter: settings.RATE_LIMITER,
    exchangeLimiter: settings.EXCHANGE_LIMITER,
    callerLimiters,
    metrics: settings.METRICS,
    serverTiming: settings.SERVER_TIMING,
  };
}

function previousKeyFor({ PREVIOUS_KID: kid, PREVIOUS_PRIVATE_KEY: privateKey }: Settings): Config["previousKey"] {
  return kid === undefined || privateKey === undefined ? undefined : { kid, privateKey };
}
