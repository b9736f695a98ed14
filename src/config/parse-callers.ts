import type { Caller, CredentialRule, JwtRule } from "../core/auth/caller.ts";
import type { ClaimRule } from "../core/auth/claims.ts";
import { parseAllowedOrigins } from "../core/auth/origins.ts";
import type { CozeScope } from "../core/grant/coze-scope.ts";
import type { Parsed } from "../core/issue.ts";
import { callerIssues, userPrefixFor } from "./caller-issues.ts";
import { type CallerSetting, callersSchema } from "./caller-schema.ts";
import { parseClaimPattern } from "./claim-pattern.ts";
import { parseTable } from "./setting-parsers.ts";

/**
 * Parses the list of callers: a list of tables, or the same as a JSON string.
 * @returns the callers, or every issue with them, by its place and without its value.
 */
export function parseCallers(value: unknown): Parsed<Caller[]> {
  const result = callersSchema.safeParse(parseTable(value));
  if (!result.success) {
    return { issues: result.error.issues.map(({ path, message }) => ({ path: pathFrom(path), message })) };
  }
  const issues = callerIssues(result.data);
  return issues.length > 0 ? { issues } : { value: result.data.map(toCaller) };
}

/** `[1].origins[0]` */
function pathFrom(steps: readonly PropertyKey[]): string {
  return steps.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
}

function toCaller(setting: CallerSetting, _index: number, all: readonly CallerSetting[]): Caller {
  return {
    name: setting.name,
    credentialRule: credentialRuleFor(setting),
    userPrefix: userPrefixFor(setting, all),
    origins: checked(parseAllowedOrigins((setting.origins ?? ["*"]).join(","))),
    scope: scopeFor(setting),
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
      typeof rule === "object" ? checked(parseClaimPattern(rule.pattern)) : rule,
    ]),
  );
}

/** Coze's scope object for a channel app: which permissions, and in which bots. */
function scopeFor({ bot_ids, permissions }: CallerSetting): CozeScope | undefined {
  if (bot_ids === undefined && permissions === undefined) return undefined;
  return {
    ...(permissions && { account_permission: { permission_list: permissions } }),
    ...(bot_ids && { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: bot_ids } } }),
  };
}

/** The value of what {@link callerIssues} has found right. */
function checked<Value>(parsed: Parsed<Value>): Value {
  if ("value" in parsed) return parsed.value;
  throw new TypeError("a caller with issues is not parsed any further");
}
