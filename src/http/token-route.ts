import { Hono } from "hono";
import * as z from "zod/mini";
import { type CozeScope, parseCozeScope } from "../core/coze-scope.ts";
import { grantFor } from "../core/grant.ts";
import type { SettingProblem } from "../core/problem.ts";
import { TokenError } from "../core/token-error.ts";
import { parseUserId } from "../core/user-id.ts";
import { allowMethods } from "./allow-methods.ts";
import { cacheStatus, serverTiming } from "./answer-headers.ts";
import type { AppEnv } from "./app-env.ts";
import { readJsonBody } from "./json-body.ts";
import type { Service } from "./service.ts";

const tokenRequestBody = z.strictObject(
  {
    duration_seconds: z.optional(z.int("must be a whole number").check(z.minimum(1, "must be at least 1"))),
    scope: z.optional(z.pipe(z.unknown(), z.transform(toCozeScope))),
    rejected_token: z.optional(z.string("must be a text").check(z.minLength(1, "must not be empty"))),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `has an unknown member: ${issue.keys.join(", ")}` : "must be a JSON object",
  },
);

/**
 * `POST /`: an access token as Coze answers it, `expires_in` being the Unix time in seconds at which it ends.
 * `X-User-ID` names the user, and an optional JSON body asks for less than the settings grant, or for another token
 * than one that Coze has refused.
 */
export function tokenRoute(service: Service): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      if ("problems" in service) throw misconfigured(service.problems);
      const userId = parseUserId(c.req.raw.headers.get("X-User-ID"));
      const body = parseTokenRequestBody(await readJsonBody(c.req.raw));

      const answer = await service.issueToken({
        grant: grantFor(userId, { durationSeconds: body.duration_seconds, scope: body.scope }, service.limits),
        rejectedToken: body.rejected_token,
        afterAnswer: (work) => c.executionCtx.waitUntil(work),
      });

      c.header("Cache-Status", cacheStatus(answer));
      if (service.serverTiming) c.header("Server-Timing", serverTiming(answer.effort));
      const { accessToken, expiresAt } = answer.token;
      return c.json({ access_token: accessToken, expires_in: expiresAt, token_type: "Bearer" });
    })
    .all("/", allowMethods("POST"));
}

function parseTokenRequestBody(body: unknown): z.infer<typeof tokenRequestBody> {
  if (body === undefined) return {};

  const result = tokenRequestBody.safeParse(body);
  if (result.success) return result.data;

  const faults = result.error.issues.map(({ path, message }) => `${path.join(".") || "The body"} ${message}`);
  throw new TokenError("invalid_request", `${faults.join("; ")}.`);
}

function toCozeScope(value: unknown, context: z.core.ParsePayload): CozeScope {
  const parsed = parseCozeScope(value);
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

function misconfigured(problems: readonly SettingProblem[]): TokenError {
  const names = problems.map(({ setting }) => setting).join(", ");
  return new TokenError("server_misconfigured", `The settings of this service need mending: ${names}.`, { problems });
}
