import type { Config } from "../../src/config/config.ts";
import { type Caller, isOpen, type JwtRule } from "../../src/core/auth/caller.ts";
import { limitsFor } from "../../src/core/auth/caller-limits.ts";
import type { ClaimRule } from "../../src/core/auth/claims.ts";
import type { OriginRule } from "../../src/core/auth/origins.ts";
import { TokenError } from "../../src/core/token-error.ts";
import { setupCommand } from "../lib/commands.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";

/** Says who may call, what each caller may have, and which one never matches because an earlier one does. */
export function checkCallers(config: Config, env: string | undefined): readonly Finding[] {
  return [checkAccess(config, env), ...config.callers.map((caller, index) => checkCaller(caller, index, config))];
}

function checkAccess({ callers }: Config, env: string | undefined): Finding {
  if (!isOpen(callers)) return passed("access", "closed: only callers get tokens");
  const hint = `To close it: ${setupCommand(env, "--access key")}, or --access issuer`;
  return passed("access", "open: everyone who knows the URL gets tokens of the app", hint);
}

function checkCaller(caller: Caller, index: number, config: Config): Finding {
  const name = `caller ${caller.name}`;
  const shadow = config.callers.slice(0, index).find((earlier) => shadows(earlier, caller));
  if (shadow !== undefined) {
    const detail = `never matches: ${shadow.name} comes first, and accepts everything that it accepts`;
    return failed(name, detail, `Put ${caller.name} before ${shadow.name}, or give ${shadow.name} more claims.`);
  }
  try {
    return passed(name, describeRights(caller, config));
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return failed(name, error.message, "Change TOKEN_SCOPE, or the caller's permissions and bot_ids.");
  }
}

/** @throws TokenError when nothing is left to grant. */
function describeRights(caller: Caller, { tokenScope, tokenDurationSeconds }: Config): string {
  const { durationSeconds, scope } = limitsFor(caller, { durationSeconds: tokenDurationSeconds, scope: tokenScope });
  const permissions = scope?.account_permission?.permission_list.join(", ");
  const bots = scope?.attribute_constraint?.connector_bot_chat_attribute.bot_id_list.join(", ");
  const origins = caller.origins === "*" ? [] : [`pages of ${caller.origins.map(describeOrigin).join(", ")}`];
  return [
    describeCredential(caller),
    scope === undefined ? "every permission of the app" : (permissions ?? "the scope of TOKEN_SCOPE"),
    ...(bots === undefined ? [] : [`bots ${bots}`]),
    ...(caller.userPrefix === "" ? [] : [`sessions ${caller.userPrefix}:…`]),
    ...origins,
    `up to ${durationSeconds} s`,
  ].join("; ");
}

function describeOrigin(rule: OriginRule): string {
  return "origin" in rule ? rule.origin : `${rule.beforeHost}*${rule.hostSuffix}`;
}

function describeCredential({ credentialRule: rule }: Caller): string {
  switch (rule.kind) {
    case "anyone":
      return "everyone";
    case "anonymous":
      return rule.turnstile === undefined ? "clients without a credential" : "visitors behind Turnstile";
    case "key":
      return "an API key";
    case "jwt":
      return `JWTs of ${rule.issuer}`;
  }
}

function shadows({ credentialRule: earlier }: Caller, { credentialRule: later }: Caller): boolean {
  return earlier.kind === "jwt" && later.kind === "jwt" && acceptsAllOf(earlier, later);
}

function acceptsAllOf(earlier: JwtRule, later: JwtRule): boolean {
  if (earlier.issuer !== later.issuer) return false;
  if (earlier.audience !== undefined && earlier.audience !== later.audience) return false;
  return [...earlier.claims].every(([name, rule]) => covers(rule, later.claims.get(name)));
}

function covers(rule: ClaimRule, other: ClaimRule | undefined): boolean {
  if (!(rule instanceof RegExp)) return rule === other;
  return other instanceof RegExp ? rule.source === other.source : typeof other === "string" && rule.test(other);
}
