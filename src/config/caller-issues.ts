import { parseAllowedOrigins } from "../core/auth/origins.ts";
import { type Issue, issuesAt } from "../core/issue.ts";
import { parseSecureUrl } from "../core/secure-url.ts";
import type { CallerSetting } from "./caller-schema.ts";
import { parseClaimPattern } from "./claim-pattern.ts";

const EXAMPLE_ISSUER = "https://project.supabase.co/auth/v1";

/** What `printf %s "$KEY" | sha256sum` prints where no KEY is set. */
const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The properties that go with each way to authenticate a caller, beside what every caller may have. */
const PROPERTIES_OF_KIND = {
  key_sha256: [],
  issuer: ["jwks_uri", "audience", "claims", "user_id"],
  anonymous: ["turnstile", "turnstile_hostname", "turnstile_action"],
} as const;
type Kind = keyof typeof PROPERTIES_OF_KIND;
const KINDS = Object.keys(PROPERTIES_OF_KIND) as Kind[]; // the keys of the literal above

/** Finds what is wrong with callers whose properties are each right by themselves: within one, and between two. */
export function callerIssues(callers: readonly CallerSetting[]): Issue[] {
  const issuesInside = callers.flatMap((caller, index) =>
    issuesAt(`[${index}]`, { issues: [...issuesWithin(caller)] }),
  );
  return [...issuesInside, ...callerConflicts(callers), ...sharedSessionIssues(callers)];
}

/** What is wrong with one caller by itself. */
function* issuesWithin(caller: CallerSetting): Generator<Issue> {
  const [kind, ...more] = KINDS.filter((property) => caller[property] !== undefined);
  if (kind === undefined) yield { path: "", message: "needs one of key_sha256, issuer or anonymous" };
  if (more.length > 0) yield { path: "", message: `cannot have ${kind} and ${more.join(" and ")} at once` };
  for (const other of KINDS.filter((name) => name !== kind)) {
    for (const path of PROPERTIES_OF_KIND[other]) {
      if (caller[path] !== undefined) yield { path, message: `belongs to a caller with ${other}` };
    }
  }
  for (const path of ["turnstile_hostname", "turnstile_action"] as const) {
    if (caller[path] !== undefined && !caller.turnstile) yield { path, message: "needs turnstile = true" };
  }
  for (const path of ["issuer", "jwks_uri"] as const) {
    const url = parseSecureUrl(caller[path] ?? EXAMPLE_ISSUER, EXAMPLE_ISSUER);
    if ("issues" in url) yield* issuesAt(path, url);
  }
  if (caller.key_sha256?.toLowerCase() === SHA256_OF_NOTHING) {
    yield { path: "key_sha256", message: "is the SHA-256 of nothing: the key was empty when it was made" };
  }
  if (kind === "issuer" && caller.audience === undefined && typeof caller.claims?.["azp"] !== "string") {
    yield { path: "audience", message: "is required, or else claims.azp, so that tokens made for others are refused" };
  }
  if (caller.bot_ids !== undefined && caller.permissions === undefined) {
    yield { path: "bot_ids", message: "needs permissions beside it, such as Connector.botChat" };
  }
  yield* claimIssues(caller.claims ?? {});
  const origins = parseAllowedOrigins((caller.origins ?? ["*"]).join(","));
  if ("issues" in origins) yield* issuesAt("origins", origins);
}

function* claimIssues(claims: NonNullable<CallerSetting["claims"]>): Generator<Issue> {
  for (const [name, rule] of Object.entries(claims)) {
    if (typeof rule !== "object") continue;
    const pattern = parseClaimPattern(rule.pattern);
    if ("issues" in pattern) yield* issuesAt(`claims.${name}.pattern`, pattern);
  }
}

/**
 * The prefix of a caller's session names. Without one of their own, visitors beside other callers get their caller's
 * name, so that what they write into `X-User-ID` never names a session of another user.
 */
export function userPrefixFor(setting: CallerSetting, all: readonly CallerSetting[]): string {
  return setting.user_prefix ?? (setting.anonymous && all.length > 1 ? setting.name : "");
}

/** What is wrong with callers side by side: the first that matches wins, so each must be able to. */
function* callerConflicts(callers: readonly CallerSetting[]): Generator<Issue> {
  for (const [index, later] of callers.entries()) {
    for (const [before, earlier] of callers.slice(0, index).entries()) {
      const other = `CALLERS[${before}]`;
      if (meetByAccident(earlier, later) || meetByAccident(later, earlier)) {
        yield {
          path: `[${index}].user_prefix`,
          message: `would share sessions with ${other}: the name of an anonymous caller is its prefix, unless it sets user_prefix`,
        };
      }
      if (later.name === earlier.name) yield { path: `[${index}].name`, message: `is that of ${other} too` };
      if (shadows(earlier, later)) {
        yield {
          path: `[${index}]`,
          message: `cannot be told apart from ${other}, which comes first and matches as well`,
        };
      }
      if (earlier.issuer !== undefined && earlier.issuer === later.issuer && earlier.jwks_uri !== later.jwks_uri) {
        yield { path: `[${index}].jwks_uri`, message: `is not that of ${other}, which has the same issuer` };
      }
    }
  }
}

/** Whether the prefix that visitors have by default is one that another caller has been given. */
function meetByAccident(visitors: CallerSetting, other: CallerSetting): boolean {
  return visitors.anonymous === true && visitors.user_prefix === undefined && visitors.name === other.user_prefix;
}

/**
 * Callers whose users would meet those of the first JWT caller without a prefix: their ids come from another issuer or
 * claim, and are equal by accident or by intent. A prefix that is set, the empty one too, says that the owner knows.
 */
function* sharedSessionIssues(callers: readonly CallerSetting[]): Generator<Issue> {
  const isUnprefixed = ({ issuer, user_prefix }: CallerSetting) => issuer !== undefined && user_prefix === undefined;
  const first = callers.findIndex(isUnprefixed);
  for (const [index, caller] of callers.entries()) {
    if (!isUnprefixed(caller) || populationOf(caller) === populationOf(callers[first])) continue;

    const message = `is required: user ids of CALLERS[${first}], which has another issuer or user_id, could be the same`;
    yield { path: `[${index}].user_prefix`, message };
  }
}

/** Where a JWT caller's user ids come from. */
function populationOf(caller: CallerSetting | undefined): string {
  return JSON.stringify([caller?.issuer, caller?.user_id ?? "sub"]);
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
