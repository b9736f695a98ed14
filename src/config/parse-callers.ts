import type { Caller, CredentialRule, JwtRule } from "../core/auth/caller.ts";
import type { ClaimRule } from "../core/auth/claims.ts";
import { type AllowedOrigins, parseAllowedOrigins } from "../core/auth/origins.ts";
import type { CozeScope } from "../core/grant/coze-scope.ts";
import { type CallerIssue, callerIssues, userPrefixFor } from "./caller-issues.ts";
import { type CallerSetting, callersSchema } from "./caller-schema.ts";
import { parseClaimPattern } from "./claim-pattern.ts";
import { tableOf } from "./setting-parsers.ts";

/**
 * Reads the list of callers: a list of tables, or the same as JSON text.
 * @returns the callers, or every fault in them, by its place and without its value.
 */
export function parseCallers(value: unknown): { readonly callers: Caller[] } | { readonly faults: CallerIssue[] } {
  const result = callersSchema.safeParse(tableOf(value));
  if (!result.success) return { faults: result.error.issues.map(({ path, message }) => ({ path, problem: message })) };

  const faults = callerIssues(result.data);
  return faults.length > 0 ? { faults } : { callers: result.data.map(toCaller) };
}

function toCaller(setting: CallerSetting, _index: number, all: readonly CallerSetting[]): Caller {
  const origins = parseAllowedOrigins((setting.origins ?? ["*"]).join(",")) as AllowedOrigins; // checked by callerIssues
  return {
    name: setting.name,
    credentialRule: credentialRuleFor(setting),
    userPrefix: userPrefixFor(setting, all),
    origins,
    scope: scopeOf(setting),
    maxDurationSeconds: setting.max_duration,
    limiter: setting.limiter,
  };
}

function credentialRuleFor(setting: CallerSetting): CredentialRule {
  if (setting.key_sha256 !== undefined) return { kind: "key", keySha256: setting.key_sha256.toLowerCase() };
  if (setting.issuer !== undefined) return jwtRule(setting, setting.issuer);
  const { turnstile, turnstile_hostname: hostname, turnstile_action: action } = setting;
  return { kind: "anonymous", turnstile: turnstile && { hostname, action } };
}

function jwtRule({ jwks_uri, audience, claims = {}, user_id = "sub" }: CallerSetting, issuer: string): JwtRule {
  return { kind: "jwt", issuer, jwksUri: jwks_uri, audience, claims: claimRules(claims), userIdClaim: user_id };
}

function claimRules(claims: NonNullable<CallerSetting["claims"]>): ReadonlyMap<string, ClaimRule> {
  return new Map(
    Object.entries(claims).map(([name, rule]) => [
      name,
      // Checked by callerIssues.
      typeof rule === "object" ? (parseClaimPattern(rule.pattern) as RegExp) : rule,
    ]),
  );
}

/** Coze's scope object for a channel app: which permissions, and in which bots. */
function scopeOf({ bot_ids, permissions }: CallerSetting): CozeScope | undefined {
  if (bot_ids === undefined && permissions === undefined) return undefined;
  return {
    ...(permissions && { account_permission: { permission_list: permissions } }),
    ...(bot_ids && { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: bot_ids } } }),
  };
}
