import * as z from "zod/mini";
import { type CozeScope, parseRequestedScope } from "../core/grant/coze-scope.ts";
import { TokenError } from "../core/token-error.ts";

const tokenRequestBody = z.strictObject(
  {
    duration_seconds: z.optional(wholeSeconds()),
    minimum_seconds: z.optional(wholeSeconds()),
    scope: z.optional(z.pipe(z.unknown(), z.transform(toCozeScope))),
    // Coze's SDKs begin with an empty one, or none.
    rejected_token: z.optional(z.nullable(z.string("must be a string"))),
    "cf-turnstile-response": z.optional(z.string("must be a string")),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `has an unknown property: ${issue.keys.join(", ")}`
        : "must be a JSON object",
  },
);
/** What the body of a request for a token can ask for. */
export type TokenRequestBody = z.infer<typeof tokenRequestBody>;

/**
 * Checks the JSON body of a request for a token; `undefined`, no body, asks for nothing special.
 * @throws TokenError `invalid_request`, which names every property that is wrong.
 */
export function parseTokenRequestBody(body: unknown): TokenRequestBody {
  if (body === undefined) return {};

  const result = tokenRequestBody.safeParse(body);
  if (result.success) return result.data;

  const faults = result.error.issues.map(({ path, message }) => `${path.join(".") || "The body"} ${message}`);
  throw new TokenError("invalid_request", `${faults.join("; ")}.`);
}

function wholeSeconds() {
  return z.int("must be a whole number").check(z.minimum(1, "must be at least 1"));
}

function toCozeScope(value: unknown, context: z.core.ParsePayload): CozeScope {
  const parsed = parseRequestedScope(value);
  if ("scope" in parsed) return parsed.scope;

  for (const { path, problem } of parsed.faults) {
    context.issues.push({
      code: "custom",
      message: problem,
      path: path === "" ? [] : path.split("."),
      input: undefined,
    });
  }
  return z.NEVER;
}
