import * as z from "zod/mini";
import { ANYONE, type Caller } from "../core/auth/caller.ts";
import { type AllowedOrigins, shareOrigin } from "../core/auth/origins.ts";
import type { CozeScope } from "../core/grant/coze-scope.ts";
import { MAX_DURATION_SECONDS } from "../core/grant/grant.ts";
import { isProblem, type Problem, type SettingProblem } from "../core/issue.ts";
import { parseSecureUrl } from "../core/secure-url.ts";
import { EXCHANGE_BUDGET_MS } from "../core/token/exchange.ts";
import { findCallerLimiters } from "./caller-limiters.ts";
import { audienceFor, isOneRegion, parseAudience, parseTokenEndpoint } from "./coze-region.ts";
import { nearNameIssues } from "./near-names.ts";
import { parseCallers } from "./parse-callers.ts";
import {
  parseBinding,
  parseClientId,
  parseKid,
  parseOrigins,
  parsePrivateKeyText,
  parseRateLimiter,
  parseSwitch,
  parseText,
  parseTokenScope,
  parseWholeNumber,
  required,
} from "./setting-parsers.ts";

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
  /** Who may ask. Not empty; unset, it is {@link ANYONE}. */
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

/** Cloudflare: "Server-side validation" of Turnstile. */
const SITEVERIFY = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

const BLANK_CALLERS =
  "is blank: list the callers, or remove it for an open service. An older .dev.vars.example had it blank: delete that line";

/** PREVIOUS_KID and PREVIOUS_PRIVATE_KEY, once both are right by themselves. */
const settingsOfPreviousKey = z.object({
  PREVIOUS_KID: z.optional(z.string()),
  PREVIOUS_PRIVATE_KEY: z.optional(z.string()),
});

/** The outputs of CALLERS and TURNSTILE_SECRET_KEY, once both are right by themselves. */
const settingsOfTurnstile = z.object({
  CALLERS: z.array(z.custom<Caller>()),
  TURNSTILE_SECRET_KEY: z.optional(z.string()),
});

/** The outputs of CALLERS and ALLOWED_ORIGINS, once both are right by themselves. */
const settingsOfOrigins = z.object({
  CALLERS: z.array(z.unknown()),
  ALLOWED_ORIGINS: z.union([z.literal("*"), z.array(z.unknown())]),
});

/** The outputs of AUDIENCE and TOKEN_ENDPOINT, once both are right by themselves. */
const settingsOfRegion = z.object({ AUDIENCE: z.optional(z.string()), TOKEN_ENDPOINT: z.instanceof(URL) });

const settings = z
  .object({
    CLIENT_ID: setting((value) => required(parseClientId(value))),
    KID: setting((value) => required(parseKid(value))),
    PRIVATE_KEY: setting((value) => required(parsePrivateKeyText(value))),
    PREVIOUS_KID: setting(parseKid),
    PREVIOUS_PRIVATE_KEY: setting(parsePrivateKeyText),
    AUDIENCE: setting(parseAudience),
    TOKEN_ENDPOINT: setting(parseTokenEndpoint),
    TOKEN_DURATION: setting((value) => parseWholeNumber(value, 900, MAX_DURATION_SECONDS)),
    ASSERTION_DURATION: setting((value) => parseWholeNumber(value, 3600, MAX_DURATION_SECONDS)),
    TOKEN_SCOPE: setting(parseTokenScope),
    ALLOWED_ORIGINS: setting(parseOrigins),
    // All attempts of an exchange together have this long, so one can have no more.
    UPSTREAM_TIMEOUT_MS: setting((value) => parseWholeNumber(value, 5000, EXCHANGE_BUDGET_MS)),
    TOKEN_CACHE: setting((value) => parseBinding<KVNamespace>(value, "put", "a KV namespace")),
    CALLERS: z.pipe(z.optional(z.unknown()), z.transform(readCallers)),
    TURNSTILE_SECRET_KEY: setting((value) => parseText(value, "must be the secret key of a Turnstile widget")),
    TURNSTILE_ENDPOINT: setting((value = SITEVERIFY) => parseSecureUrl(value, SITEVERIFY)),
    RATE_LIMITER: setting(parseRateLimiter),
    EXCHANGE_LIMITER: setting(parseRateLimiter),
    METRICS: setting((value) =>
      parseBinding<AnalyticsEngineDataset>(value, "writeDataPoint", "an Analytics Engine dataset"),
    ),
    SERVER_TIMING: setting(parseSwitch),
  })
  .check(
    z.refine((previous) => isPair(previous), {
      path: ["PREVIOUS_KID"],
      error: "and PREVIOUS_PRIVATE_KEY belong together: set both, or neither",
      when: ({ value }) => settingsOfPreviousKey.safeParse(value).success,
    }),
    z.refine(({ AUDIENCE, TOKEN_ENDPOINT }) => isOneRegion(AUDIENCE, TOKEN_ENDPOINT), {
      path: ["AUDIENCE"],
      error: "must be the host of TOKEN_ENDPOINT: an app of one Coze region is not known in the other",
      // Also when other settings are wrong, so that all faults show at once.
      when: ({ value }) => settingsOfRegion.safeParse(value).success,
    }),
    z.refine((turnstile) => !asksForTurnstile(turnstile) || turnstile.TURNSTILE_SECRET_KEY !== undefined, {
      path: ["TURNSTILE_SECRET_KEY"],
      error: "is required, as a caller has turnstile = true",
      when: ({ value }) => settingsOfTurnstile.safeParse(value).success,
    }),
    // Who sets it means to keep robots out; without a caller that asks for it, nobody would be.
    z.refine((turnstile) => asksForTurnstile(turnstile) || turnstile.TURNSTILE_SECRET_KEY === undefined, {
      path: ["TURNSTILE_SECRET_KEY"],
      error: "has no effect: give an anonymous caller of CALLERS turnstile = true",
      when: ({ value }) => settingsOfTurnstile.safeParse(value).success,
    }),
    z.check(refuseUnreachableOrigins, { when: ({ value }) => settingsOfOrigins.safeParse(value).success }),
  );

/** Every name that has a meaning in the environment of the Worker; the last few are read elsewhere, or reserved. */
export const KNOWN_NAMES: readonly string[] = [...Object.keys(settings.shape), "CONSOLE", "ASSETS"];

/**
 * Reads all settings from the environment of the Worker. Texts are trimmed, blank ones count as absent, and numbers
 * may be strings. A blank CALLERS is an issue: unset means that anyone may call.
 * A name that is nearly that of a setting is an issue too.
 * @returns the settings, or every fault in them, by name and never with a value.
 */
export function parseConfig(env: object): { readonly config: Config } | { readonly problems: SettingProblem[] } {
  const result = settings.safeParse({ ...env });
  const limiters = findCallerLimiters({ ...env });
  const more = [...limiters.problems, ...nearNameIssues({ ...env }, KNOWN_NAMES)];
  if (!result.success || more.length > 0) {
    const issues = result.error?.issues ?? [];
    return { problems: [...issues.map(({ path, message }) => ({ setting: nameOf(path), problem: message })), ...more] };
  }
  const { data } = result;
  return {
    config: {
      clientId: data.CLIENT_ID,
      kid: data.KID,
      privateKey: data.PRIVATE_KEY,
      previousKey: previousKeyOf(data.PREVIOUS_KID, data.PREVIOUS_PRIVATE_KEY),
      audience: data.AUDIENCE ?? audienceFor(data.TOKEN_ENDPOINT),
      tokenEndpoint: data.TOKEN_ENDPOINT.href,
      tokenDurationSeconds: data.TOKEN_DURATION,
      assertionDurationSeconds: data.ASSERTION_DURATION,
      tokenScope: data.TOKEN_SCOPE,
      allowedOrigins: data.ALLOWED_ORIGINS,
      upstreamTimeoutMs: data.UPSTREAM_TIMEOUT_MS,
      tokenCache: data.TOKEN_CACHE,
      callers: data.CALLERS,
      turnstileSecretKey: data.TURNSTILE_SECRET_KEY,
      turnstileEndpoint: data.TURNSTILE_ENDPOINT.href,
      rateLimiter: data.RATE_LIMITER,
      exchangeLimiter: data.EXCHANGE_LIMITER,
      callerLimiters: limiters.bindings,
      metrics: data.METRICS,
      serverTiming: data.SERVER_TIMING,
    },
  };
}

/** `CALLERS[1].issuer` */
function nameOf([setting, ...path]: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`));
  return `${String(setting)}${steps.join("")}`;
}

function asksForTurnstile({ CALLERS: callers }: { readonly CALLERS: readonly Caller[] }): boolean {
  return callers.some(
    ({ credentialRule }) => credentialRule.kind === "anonymous" && credentialRule.turnstile !== undefined,
  );
}

/** The schema of one setting: trims it, makes a blank one absent, and reports the problem its parser finds. */
function setting<Value>(parse: (value: unknown) => Value | Problem) {
  return z.pipe(
    z.optional(z.unknown()),
    z.transform((raw, context): Value => {
      const outcome = parse(typeof raw === "string" ? raw.trim() || undefined : raw);
      if (!isProblem(outcome)) return outcome;

      context.issues.push({ code: "custom", message: outcome.problem, input: undefined });
      return z.NEVER;
    }),
  );
}

function readCallers(raw: unknown, context: z.core.ParsePayload): readonly Caller[] {
  if (raw === undefined) return [ANYONE];
  // An unset variable of a deployment script arrives blank, and must not open a closed service.
  if (typeof raw === "string" && raw.trim() === "") {
    context.issues.push({ code: "custom", message: BLANK_CALLERS, input: undefined });
    return z.NEVER;
  }

  const parsed = parseCallers(raw);
  if ("callers" in parsed) return parsed.callers;
  for (const { path, problem } of parsed.faults) {
    context.issues.push({ code: "custom", message: problem, path: [...path], input: undefined });
  }
  return z.NEVER;
}

type OriginSettings = { readonly CALLERS: readonly Caller[]; readonly ALLOWED_ORIGINS: AllowedOrigins };

/** A page has to pass both lists: where they share none, the caller is closed to every page. */
function refuseUnreachableOrigins({ value, issues }: z.core.ParsePayload<OriginSettings>): void {
  for (const [index, { origins }] of value.CALLERS.entries()) {
    if (shareOrigin(origins, value.ALLOWED_ORIGINS)) continue;
    const message = "shares no page with ALLOWED_ORIGINS: a page needs both";
    issues.push({ code: "custom", message, path: ["CALLERS", index, "origins"], input: undefined });
  }
}

function isPair({ PREVIOUS_KID: kid, PREVIOUS_PRIVATE_KEY: key }: z.infer<typeof settingsOfPreviousKey>): boolean {
  return (kid === undefined) === (key === undefined);
}

function previousKeyOf(kid: string | undefined, privateKey: string | undefined): Config["previousKey"] {
  return kid === undefined || privateKey === undefined ? undefined : { kid, privateKey };
}
