import * as z from "zod/mini";
import type { Caller, ClaimRule, JwtRule, Recognition } from "./core/caller.ts";
import type { CozeScope } from "./core/coze-scope.ts";
import { type AllowedOrigins, parseAllowedOrigins } from "./core/origins.ts";
import { isProblem, type Problem } from "./core/problem.ts";
import { parseWebAddress } from "./core/web-address.ts";

/** Texts that have nothing in common: a pattern that matches both has nothing to say about a claim. */
const PATTERN_PROBES = ["q7Zk3", "\u0416 9/_-~@x:y.z!"];

const EXAMPLE_ISSUER = "https://project.supabase.co/auth/v1";

/** What `printf %s "$KEY" | sha256sum` prints where no KEY is set. */
const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const texts = z.array(z.string("must be texts").check(z.minLength(1, "must not be empty")), "must be a list of texts");
const list = texts.check(z.minLength(1, "must not be empty: leave it out, or say what is allowed"));
const text = z.string("must be a text").check(z.minLength(1, "must not be empty"));
const truth = z.literal(true, "must be true, or left out");

const claimRule = z.union(
  [text, z.number(), z.boolean(), z.strictObject({ pattern: text })],
  "must be a value, or { pattern = … }",
);

/** One caller as it is written down (CALLERS). */
const callerSchema = z.strictObject(
  {
    name: z
      .string("is required")
      .check(z.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "must be letters, digits, . _ and -, at most 64")),
    key_sha256: z.optional(
      z.string("must be a text").check(z.regex(/^[0-9a-fA-F]{64}$/, "must be the 64 hexadecimal digits of a SHA-256")),
    ),
    issuer: z.optional(text),
    jwks_uri: z.optional(text),
    audience: z.optional(text),
    claims: z.optional(z.record(text, claimRule, "must be a table of claims")),
    user_id: z.optional(text),
    anonymous: z.optional(truth),
    turnstile: z.optional(truth),
    turnstile_hostname: z.optional(text),
    turnstile_action: z.optional(text),
    origins: z.optional(list),
    bot_ids: z.optional(list),
    permissions: z.optional(list),
    max_duration: z.optional(
      z
        .int("must be a whole number of seconds")
        .check(z.minimum(1, "must be at least 1"), z.maximum(86_399, "must be at most 86399")),
    ),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `has unknown members: ${issue.keys.join(", ")}` : "must be a table",
  },
);
type CallerSetting = z.infer<typeof callerSchema>;

const callersSchema = z
  .array(callerSchema, "must be a list of callers")
  .check(z.minLength(1, "must not be empty: leave it out for an open service, or name who may ask"));

/** What belongs to which way of recognising a caller, beside what every caller may have. */
const MEMBERS_OF_KIND = {
  key_sha256: [],
  issuer: ["jwks_uri", "audience", "claims", "user_id"],
  anonymous: ["turnstile", "turnstile_hostname", "turnstile_action"],
} as const;
type Kind = keyof typeof MEMBERS_OF_KIND;
const KINDS = Object.keys(MEMBERS_OF_KIND) as Kind[]; // the keys of the literal above

/** Where the list of callers is wrong: index, member, and what lies in it. */
export type CallerFault = Problem & { readonly path: readonly PropertyKey[] };

/**
 * Reads the list of callers: a list of tables, or the same as JSON text.
 * @returns the callers, or every fault in them, by its place and without its value.
 */
export function parseCallers(value: unknown): { readonly callers: Caller[] } | { readonly faults: CallerFault[] } {
  const result = callersSchema.safeParse(typeof value === "string" ? parseJson(value) : value);
  if (!result.success) return { faults: result.error.issues.map(({ path, message }) => ({ path, problem: message })) };

  const faults = [...result.data.flatMap(faultsOf), ...confusions(result.data)];
  return faults.length > 0 ? { faults } : { callers: result.data.map(toCaller) };
}

function faultsOf(caller: CallerSetting, index: number): CallerFault[] {
  return [...memberFaults(caller)].map(({ member, problem }) => ({
    path: [index, ...(member === "" ? [] : [member])],
    problem,
  }));
}

type MemberFault = Problem & { readonly member: string };

/** What is wrong with one caller by itself. */
function* memberFaults(caller: CallerSetting): Generator<MemberFault> {
  const [kind, ...more] = KINDS.filter((member) => caller[member] !== undefined);
  if (kind === undefined) yield { member: "", problem: "needs one of key_sha256, issuer or anonymous" };
  if (more.length > 0) yield { member: "", problem: `cannot have ${kind} and ${more.join(" and ")} at once` };
  for (const other of KINDS.filter((name) => name !== kind)) {
    for (const member of MEMBERS_OF_KIND[other]) {
      if (caller[member] !== undefined) yield { member, problem: `belongs to a caller with ${other}` };
    }
  }
  for (const member of ["turnstile_hostname", "turnstile_action"] as const) {
    if (caller[member] !== undefined && !caller.turnstile) yield { member, problem: "needs turnstile = true" };
  }
  for (const member of ["issuer", "jwks_uri"] as const) {
    const address = parseWebAddress(caller[member] ?? EXAMPLE_ISSUER, EXAMPLE_ISSUER);
    if (isProblem(address)) yield { member, ...address };
  }
  if (caller.key_sha256?.toLowerCase() === SHA256_OF_NOTHING) {
    yield { member: "key_sha256", problem: "is the SHA-256 of nothing: the key was empty when it was made" };
  }
  if (kind === "issuer" && caller.audience === undefined && typeof caller.claims?.["azp"] !== "string") {
    yield {
      member: "audience",
      problem: "is required, or else claims.azp, so that tokens made for others are refused",
    };
  }
  yield* claimProblems(caller.claims ?? {});
  const origins = parseAllowedOrigins((caller.origins ?? ["*"]).join(","));
  if (isProblem(origins)) yield { member: "origins", ...origins };
}

function* claimProblems(claims: NonNullable<CallerSetting["claims"]>): Generator<MemberFault> {
  for (const [name, rule] of Object.entries(claims)) {
    if (typeof rule !== "object") continue;
    const pattern = compile(rule.pattern);
    const member = `claims.${name}.pattern`;
    if (pattern === undefined) yield { member, problem: "is not a regular expression" };
    if (pattern && PATTERN_PROBES.every((probe) => pattern.test(probe))) {
      yield { member, problem: "matches everything: leave the claim out, or say what it must be" };
    }
  }
}

/** What is wrong with callers side by side: the first that matches wins, so each must be able to. */
function* confusions(callers: readonly CallerSetting[]): Generator<CallerFault> {
  for (const [index, later] of callers.entries()) {
    for (const [before, earlier] of callers.slice(0, index).entries()) {
      const other = `CALLERS[${before}]`;
      if (later.name === earlier.name) yield { path: [index, "name"], problem: `is that of ${other} too` };
      if (shadows(earlier, later)) {
        yield { path: [index], problem: `cannot be told apart from ${other}, which comes first and matches as well` };
      }
      if (earlier.issuer !== undefined && earlier.issuer === later.issuer && earlier.jwks_uri !== later.jwks_uri) {
        yield { path: [index, "jwks_uri"], problem: `is not that of ${other}, which has the same issuer` };
      }
    }
  }
}

function shadows(earlier: CallerSetting, later: CallerSetting): boolean {
  if (earlier.anonymous && later.anonymous) return true;
  if (earlier.key_sha256 !== undefined) return earlier.key_sha256.toLowerCase() === later.key_sha256?.toLowerCase();
  if (earlier.issuer === undefined || earlier.issuer !== later.issuer || earlier.audience !== later.audience)
    return false;
  return Object.entries(earlier.claims ?? {}).every(
    ([name, rule]) => JSON.stringify(rule) === JSON.stringify(later.claims?.[name]),
  );
}

function toCaller(setting: CallerSetting): Caller {
  const origins = parseAllowedOrigins((setting.origins ?? ["*"]).join(",")) as AllowedOrigins; // checked by memberFaults
  return {
    name: setting.name,
    recognition: recognitionOf(setting),
    origins,
    scope: scopeOf(setting),
    maxDurationSeconds: setting.max_duration,
  };
}

function recognitionOf(setting: CallerSetting): Recognition {
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
      // Compiled once before, by claimProblems.
      typeof rule === "object" ? (compile(rule.pattern) as RegExp) : rule,
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

/** A pattern that has to match the whole of a text. */
function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`, "su");
  } catch {
    return undefined;
  }
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
