import { type AllowedOrigins, parseAllowedOrigins } from "../core/auth/origins.ts";
import { type CozeScope, parseCozeScope } from "../core/grant/coze-scope.ts";
import { namesRights } from "../core/grant/scope-lists.ts";
import { type Invalid, invalid, type Parsed } from "../core/issue.ts";

/** Makes a parser report a setting that is absent. */
export function required<Value>(parse: (value: unknown) => Parsed<Value>) {
  return (value: unknown) => (value === undefined ? invalid("is required") : parse(value));
}

/** Makes a parser return `undefined` for a setting that is absent. */
export function optional<Value>(parse: (value: unknown) => Parsed<Value>) {
  return (value: unknown): Parsed<Value | undefined> => (value === undefined ? { value } : parse(value));
}

/** Parses a string; for anything else, the message is the issue. */
export function parseString(value: unknown, message: string): Parsed<string> {
  return typeof value === "string" ? { value } : invalid(message);
}

/** Parses the id of the OAuth app. */
export function parseClientId(value: unknown): Parsed<string> {
  // TOML lets an id stand as a number; past 2^53 that would silently be another id.
  if (Number.isSafeInteger(value)) return { value: String(value) };
  return parseString(value, "must be the id of the OAuth app, in quotes");
}

/** Parses the fingerprint of a public key. */
export function parseKid(value: unknown): Parsed<string> {
  return parseString(value, "must be the fingerprint of the public key, as the Coze console shows it");
}

/** Parses a private key as pasted. A secret that could not be read arrives as its issues. */
export function parsePrivateKey(value: unknown): Parsed<string> {
  if (isInvalid(value)) return value;
  return parseString(value, "must be the private key as a string, or a Secrets Store binding");
}

/** Parses a whole number from 1 to `max`, or its digits as a string. */
export function parseWholeNumber(value: unknown, max: number): Parsed<number> {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= 1 && number <= max) return { value: number };
  return invalid(`must be a whole number from 1 to ${max}`);
}

/** Parses a Coze scope object, or the same as a JSON string. */
export function parseTokenScope(value: unknown): Parsed<CozeScope> {
  const parsed = parseCozeScope(parseTable(value));
  if ("issues" in parsed) {
    return invalid(parsed.issues.map(({ path, message }) => `${path} ${message}`.trim()).join("; "));
  }
  if (namesRights(parsed.value)) return parsed;
  return invalid("must name permissions too: add account_permission or another group of rights");
}

/** Parses the list of allowed origins. */
export function parseOrigins(value: unknown): Parsed<AllowedOrigins> {
  return typeof value === "string" ? parseAllowedOrigins(value) : invalid("must be a string: * or a list of origins");
}

/** A binding is an object with methods; a variable of the same name is not. */
export function parseBinding<Binding extends object>(
  value: unknown,
  method: keyof Binding & string,
  what: string,
): Parsed<Binding> {
  // The method tells bindings from variables; wrangler knows which binding it is.
  if (typeof value === "object" && value !== null && method in value) return { value: value as Binding };
  return invalid(`must be the binding of ${what}, not a variable`);
}

/** Parses a rate-limit binding. */
export function parseRateLimiter(value: unknown): Parsed<RateLimit> {
  return parseBinding<RateLimit>(value, "limit", "a rate limiter");
}

/** Parses the binding of the static assets. */
export function parseAssets(value: unknown): Parsed<Fetcher> {
  return parseBinding<Fetcher>(value, "fetch", "the static assets");
}

/** Parses the strings on and off, as true and false. */
export function parseOnOff(value: unknown): Parsed<boolean> {
  return value === "on" || value === "off" ? { value: value === "on" } : invalid("must be on or off");
}

/** Parses true or false, or either as a string. */
export function parseBoolean(value: unknown): Parsed<boolean> {
  if (value === true || value === "true") return { value: true };
  return value === false || value === "false" ? { value: false } : invalid("must be true or false");
}

/** A table as TOML has it, or the same as a JSON string; `undefined` for a string that is not JSON. */
export function parseTable(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function isInvalid(value: unknown): value is Invalid {
  return typeof value === "object" && value !== null && "issues" in value;
}
