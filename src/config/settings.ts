import { ANYONE, type Caller } from "../core/auth/caller.ts";
import { MAX_DURATION_SECONDS } from "../core/grant/grant.ts";
import { type Issue, invalid, issuesAt, type Parsed } from "../core/issue.ts";
import { parseSecureUrl } from "../core/secure-url.ts";
import { EXCHANGE_BUDGET_MS } from "../core/token/exchange.ts";
import { parseAudience, parseTokenEndpoint } from "./coze-region.ts";
import {
  optional,
  parseAssets,
  parseBinding,
  parseBoolean,
  parseClientId,
  parseKid,
  parseOnOff,
  parseOrigins,
  parsePrivateKey,
  parseRateLimiter,
  parseString,
  parseTokenScope,
  parseWholeNumber,
  required,
} from "./setting-parsers.ts";

/** Cloudflare: "Server-side validation" of Turnstile. */
const SITEVERIFY = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

const BLANK_CALLERS =
  "is blank: list the callers, or remove it for an open service. An older .dev.vars.example had it blank: delete that line";

/** The parser of each setting. It gets the value trimmed, a blank one as absent; and as it stands. */
const SETTING_PARSERS = {
  CLIENT_ID: required(parseClientId),
  KID: required(parseKid),
  PRIVATE_KEY: required(parsePrivateKey),
  PREVIOUS_KID: optional(parseKid),
  PREVIOUS_PRIVATE_KEY: optional(parsePrivateKey),
  AUDIENCE: optional(parseAudience),
  TOKEN_ENDPOINT: (value) => parseTokenEndpoint(value),
  TOKEN_DURATION: (value = 900) => parseWholeNumber(value, MAX_DURATION_SECONDS),
  ASSERTION_DURATION: (value = 3600) => parseWholeNumber(value, MAX_DURATION_SECONDS),
  TOKEN_SCOPE: optional(parseTokenScope),
  ALLOWED_ORIGINS: (value = "*") => parseOrigins(value),
  // All attempts of an exchange together have this long, so one can have no more.
  UPSTREAM_TIMEOUT_MS: (value = 5000) => parseWholeNumber(value, EXCHANGE_BUDGET_MS),
  TOKEN_CACHE: optional((value) => parseBinding<KVNamespace>(value, "put", "a KV namespace")),
  CALLERS: parseCallersSetting,
  TURNSTILE_SECRET_KEY: optional((value) => parseString(value, "must be the secret key of a Turnstile widget")),
  TURNSTILE_ENDPOINT: (value = SITEVERIFY) => parseSecureUrl(value, SITEVERIFY),
  RATE_LIMITER: optional(parseRateLimiter),
  EXCHANGE_LIMITER: optional(parseRateLimiter),
  METRICS: optional((value) =>
    parseBinding<AnalyticsEngineDataset>(value, "writeDataPoint", "an Analytics Engine dataset"),
  ),
  CONSOLE: (value = "on") => parseOnOff(value),
  ASSETS: optional(parseAssets),
  SERVER_TIMING: (value = false) => parseBoolean(value),
} satisfies Record<string, SettingParser>;

type SettingParser = (value: unknown, raw: unknown) => Parsed<unknown> | Promise<Parsed<unknown>>;
type Parsers = typeof SETTING_PARSERS;
type ValueOf<Result> = Result extends { readonly value: infer Value } ? Value : never;

/** The settings by name, each parsed by itself; `undefined` where an optional one is absent. */
export type Settings = { readonly [Name in keyof Parsers]: ValueOf<Awaited<ReturnType<Parsers[Name]>>> };

/** What the runtime hands to the Worker: the bindings of wrangler.toml, and the settings, which are not checked yet. */
export type WorkerEnv = Omit<Env, keyof Parsers> & { readonly [Name in keyof Parsers]?: unknown };

/** The name of every setting. */
export const SETTING_NAMES: readonly string[] = Object.keys(SETTING_PARSERS);

/** Parses each setting by itself. A setting with an issue is left out of `settings`. */
export async function parseSettings(
  env: Readonly<Record<string, unknown>>,
): Promise<{ readonly settings: Partial<Settings>; readonly issues: readonly Issue[] }> {
  const settings: Record<string, unknown> = {};
  const issues: Issue[] = [];
  for (const [name, parse] of Object.entries<SettingParser>(SETTING_PARSERS)) {
    const raw = env[name];
    const parsed = await parse(typeof raw === "string" ? raw.trim() || undefined : raw, raw);
    if ("issues" in parsed) issues.push(...issuesAt(name, parsed));
    else settings[name] = parsed.value;
  }
  return { settings, issues };
}

async function parseCallersSetting(value: unknown, raw: unknown): Promise<Parsed<readonly Caller[]>> {
  if (raw === undefined) return { value: [ANYONE] };
  // An unset variable of a deployment script arrives blank, and must not open a closed service.
  if (value === undefined) return invalid(BLANK_CALLERS);
  // With its schema, so that an open service never loads zod.
  const { parseCallers } = await import("./parse-callers.ts");
  return parseCallers(value);
}
