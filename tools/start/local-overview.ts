import { parseSettings, SETTING_NAMES, type Settings } from "../../src/config/settings.ts";
import type { LocalCaller, LocalOverview, LocalSetting } from "../../src/console/local-types.ts";
import type { Caller, CredentialRule } from "../../src/core/auth/caller.ts";
import type { OriginRule } from "../../src/core/auth/origins.ts";
import { formatValue } from "./format-value.ts";

/** The settings whose values are neither secret nor shown as a table. */
const SHOWN_SETTINGS: readonly string[] = [
  "CLIENT_ID",
  "KID",
  "PREVIOUS_KID",
  "AUDIENCE",
  "TOKEN_ENDPOINT",
  "TOKEN_DURATION",
  "ASSERTION_DURATION",
  "TOKEN_SCOPE",
  "ALLOWED_ORIGINS",
  "UPSTREAM_TIMEOUT_MS",
  "TURNSTILE_ENDPOINT",
  "CONSOLE",
  "SERVER_TIMING",
];

/** Defaults that are not shown as they are parsed. `npm start` refuses foreign pages before the Worker decides. */
const LOCAL_DEFAULTS: Readonly<Record<string, string>> = { ALLOWED_ORIGINS: "pages of this machine", CONSOLE: "on" };

/**
 * Describes the settings and callers in force, without a secret: no private key, no digest of a key, and no value of a
 * setting that is wrong, as it may belong to another.
 */
export async function overviewFor(env: object): Promise<Pick<LocalOverview, "callers" | "settings">> {
  const variables: Readonly<Record<string, unknown>> = { ...env };
  const { settings } = await parseSettings(variables);
  return {
    callers: settings.CALLERS?.map(describeCaller),
    settings: SETTING_NAMES.map((name) => describeSetting(name, variables[name], settings)),
  };
}

function describeSetting(name: string, raw: unknown, settings: Partial<Settings>): LocalSetting {
  const isSet = raw !== undefined && String(raw).trim() !== "";
  if (!SHOWN_SETTINGS.includes(name) || !(name in settings)) return { name, isSet };
  const value = isSet ? raw : defaultFor(name, settings);
  return { name, isSet, ...(value !== undefined && { value: formatValue(value) }) };
}

function defaultFor(name: string, settings: Partial<Settings>): unknown {
  const { [name as keyof Settings]: value } = settings; // one of SHOWN_SETTINGS
  return LOCAL_DEFAULTS[name] ?? value;
}

function describeCaller(caller: Caller): LocalCaller {
  const { name, credentialRule, userPrefix, origins, scope, maxDurationSeconds, limiter } = caller;
  const properties = {
    ...describeRule(credentialRule),
    user_prefix: userPrefix === "" ? undefined : userPrefix,
    origins: origins === "*" ? undefined : origins.map(originText).join(", "),
    scope,
    max_duration: maxDurationSeconds,
    limiter,
  };
  const set = Object.entries(properties).flatMap(([key, value]) => {
    const formatted = formatValue(value);
    return formatted === undefined ? [] : [[key, formatted]];
  });
  return { name, kind: credentialRule.kind, properties: Object.fromEntries(set) };
}

function describeRule(rule: CredentialRule): Readonly<Record<string, unknown>> {
  if (rule.kind === "anonymous") return { turnstile: rule.turnstile && true };
  if (rule.kind !== "jwt") return {};
  const claims = [...rule.claims].map(([name, wanted]) => [`claims.${name}`, wanted]);
  const { issuer, audience, jwksUri: jwks_uri, userIdClaim: user_id } = rule;
  return { issuer, audience, jwks_uri, ...Object.fromEntries(claims), user_id };
}

function originText(rule: OriginRule): string {
  return "origin" in rule ? rule.origin : `${rule.beforeHost}*${rule.hostSuffix}`;
}
