import { type AllowedOrigins, parseAllowedOrigins } from "../core/auth/origins.ts";
import { type CozeScope, parseCozeScope } from "../core/grant/coze-scope.ts";
import { namesRights } from "../core/grant/scope-lists.ts";
import { isProblem, type Problem } from "../core/issue.ts";

/** Finds fault with what is absent. */
export function required(outcome: string | undefined | Problem): string | Problem {
  return outcome === undefined ? { problem: "is required" } : outcome;
}

/** Reads a text; anything else has the problem given. */
export function parseText(value: unknown, problem: string): string | undefined | Problem {
  return value === undefined || typeof value === "string" ? value : { problem };
}

/** Reads the id of the OAuth app. */
export function parseClientId(value: unknown): string | undefined | Problem {
  // TOML lets an id stand as a number; past 2^53 that would silently be another id.
  if (Number.isSafeInteger(value)) return String(value);
  return parseText(value, "must be the id of the OAuth app, in quotes");
}

/** Reads the fingerprint of a public key. */
export function parseKid(value: unknown): string | undefined | Problem {
  return parseText(value, "must be the fingerprint of the public key, as the Coze console shows it");
}

/** A secret that could not be read arrives as the problem with it. */
export function parsePrivateKeyText(value: unknown): string | undefined | Problem {
  return isProblem(value) ? value : parseText(value, "must be the private key as text, or a Secrets Store binding");
}

/** Reads a whole number from 1 up to the most, or its digits as text. */
export function parseWholeNumber(value: unknown, fallback: number, max: number): number | Problem {
  if (value === undefined) return fallback;
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= 1 && number <= max) return number;
  return { problem: `must be a whole number from 1 to ${max}` };
}

/** Reads a Coze scope object, or the same as JSON text. */
export function parseTokenScope(value: unknown): CozeScope | undefined | Problem {
  if (value === undefined) return undefined;
  const parsed = parseCozeScope(tableOf(value));
  if ("scope" in parsed && namesRights(parsed.scope)) return parsed.scope;
  if ("scope" in parsed)
    return { problem: "must name permissions too: add account_permission or another group of rights" };
  return { problem: parsed.faults.map(({ path, problem }) => `${path} ${problem}`.trim()).join("; ") };
}

/** Reads the list of origins; without one, all are allowed. */
export function parseOrigins(value: unknown = "*"): AllowedOrigins | Problem {
  return typeof value === "string" ? parseAllowedOrigins(value) : { problem: "must be text: * or a list of origins" };
}

/** A binding is an object with methods; a variable of the same name is not. */
export function parseBinding<Binding extends object>(
  value: unknown,
  method: keyof Binding & string,
  what: string,
): Binding | undefined | Problem {
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && method in value) return value as Binding;
  return { problem: `must be the binding of ${what}, not a variable` };
}

/** Reads a rate-limit binding. */
export function parseRateLimiter(value: unknown): RateLimit | undefined | Problem {
  return parseBinding<RateLimit>(value, "limit", "a rate limiter");
}

/** Reads true or false, or either word as text; without it, false. */
export function parseSwitch(value: unknown = false): boolean | Problem {
  if (value === true || value === "true") return true;
  return value === false || value === "false" ? false : { problem: "must be true or false" };
}

/** A table as TOML has it, or the same as JSON text; `undefined` for a text that is no JSON. */
export function tableOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
