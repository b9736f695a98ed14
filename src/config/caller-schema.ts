import * as z from "zod/mini";
import { MAX_DURATION_SECONDS } from "../core/grant/grant.ts";

/** What a caller may be called. */
export const CALLER_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
/** Says what {@link CALLER_NAME} allows. */
export const CALLER_NAME_RULE = 'must be 1 to 64 letters, digits, ".", "_" or "-", and start with a letter or a digit';

/** No colon, as the first one ends the prefix of a session name; empty means that the caller has none, on purpose. */
const USER_PREFIX = /^[A-Za-z0-9_-]{0,32}$/;
const USER_PREFIX_RULE = "must be at most 32 letters, digits, _ and -";

const strings = z.array(
  z.string("must be strings").check(z.minLength(1, "must not be empty")),
  "must be a list of strings",
);
const list = strings.check(z.minLength(1, "must not be empty: leave it out, or say what is allowed"));
const string = z.string("must be a string").check(z.minLength(1, "must not be empty"));
const trueOnly = z.literal(true, "must be true, or left out");

const claimRule = z.union(
  [string, z.number(), z.boolean(), z.strictObject({ pattern: string })],
  "must be a value, or { pattern = … }",
);

/** One caller as it is written down (CALLERS). */
const callerSchema = z.strictObject(
  {
    name: z.string("is required").check(z.regex(CALLER_NAME, CALLER_NAME_RULE)),
    key_sha256: z.optional(
      z
        .string("must be a string")
        .check(z.regex(/^[0-9a-fA-F]{64}$/, "must be the 64 hexadecimal digits of a SHA-256")),
    ),
    issuer: z.optional(string),
    jwks_uri: z.optional(string),
    audience: z.optional(string),
    claims: z.optional(z.record(string, claimRule, "must be a table of claims")),
    user_id: z.optional(string),
    anonymous: z.optional(trueOnly),
    turnstile: z.optional(trueOnly),
    turnstile_hostname: z.optional(string),
    turnstile_action: z.optional(string),
    user_prefix: z.optional(z.string("must be a string").check(z.regex(USER_PREFIX, USER_PREFIX_RULE))),
    origins: z.optional(list),
    bot_ids: z.optional(list),
    permissions: z.optional(list),
    limiter: z.optional(string),
    max_duration: z.optional(
      z
        .int("must be a whole number of seconds")
        .check(
          z.minimum(1, "must be at least 1"),
          z.maximum(MAX_DURATION_SECONDS, `must be at most ${MAX_DURATION_SECONDS}`),
        ),
    ),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `has unknown properties: ${issue.keys.join(", ")}` : "must be a table",
  },
);

/** One caller, each of its properties right by itself. */
export type CallerSetting = z.infer<typeof callerSchema>;

/** The list of callers (CALLERS). */
export const callersSchema = z
  .array(callerSchema, "must be a list of callers")
  .check(z.minLength(1, "must not be empty: leave it out for an open service, or list the callers"));
