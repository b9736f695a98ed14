// Imported by the first request with a body: most isolates never need zod.
import * as z from "zod/mini";
import { type CozeScope, parseRequestedScope } from "../core/grant/coze-scope.ts";
import { TokenError } from "../core/token-error.ts";

const wholeSeconds = z.int("must be a whole number").check(z.minimum(1, "must be at least 1"));
const string = z.string("must be a string");

/** The JSON body of a token request. */
export const tokenRequestBody = z.strictObject(
  {
    duration_seconds: z.optional(wholeSeconds),
    minimum_seconds: z.optional(wholeSeconds),
    scope: z.optional(z.pipe(z.unknown(), z.transform(toCozeScope))),
    // Coze's SDKs pass an empty string or null before they have a token.
    rejected_token: z.optional(z.nullable(string)),
    "cf-turnstile-response": z.optional(string),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `has an unknown property: ${issue.keys.join(", ")}`
        : "must be a JSON object",
  },
);

/** The properties of the body of a token request. */
export type TokenRequestBody = z.infer<typeof tokenRequestBody>;

/**
 * Parses the JSON body of a token request.
 * @throws TokenError `invalid_request` that names every invalid property.
 */
export function parseTokenRequestBody(body: unknown): TokenRequestBody {
  const result = tokenRequestBody.safeParse(body);
  if (result.success) return result.data;

  const issues = result.error.issues.map(({ path, message }) => `${path.join(".") || "The body"} ${message}`);
  throw new TokenError("invalid_request", `${issues.join("; ")}.`);
}

function toCozeScope(value: unknown, context: z.core.ParsePayload): CozeScope {
  const parsed = parseRequestedScope(value);
  if ("value" in parsed) return parsed.value;

  for (const { path, message } of parsed.issues) {
    context.issues.push({ code: "custom", message, path: path === "" ? [] : [path], input: undefined });
  }
  return z.NEVER;
}
