import { Hono } from "hono";
import * as z from "zod/mini";
import { type CozeScope, parseCozeScope } from "../core/coze-scope.ts";
import { type GrantRequest, grantFor } from "../core/grant.ts";
import type { SettingProblem } from "../core/problem.ts";
import { TokenError } from "../core/token-error.ts";
import type { TokenAnswer } from "../core/token-service.ts";
import { parseUserId } from "../core/user-id.ts";
import { allowMethods } from "./allow-methods.ts";
import type { AppEnv } from "./app-env.ts";
import { readJsonBody } from "./json-body.ts";
import type { Service } from "./service.ts";

const CACHE_STATUS_BY_OUTCOME = {
  hit: "hit",
  miss: "fwd=miss",
  "miss-stored": "fwd=miss; stored",
} satisfies Record<TokenAnswer["cacheOutcome"], string>;

const tokenRequestBody = z.strictObject(
  {
    duration_seconds: z.optional(z.int("must be a whole number").check(z.minimum(1, "must be at least 1"))),
    scope: z.optional(z.pipe(z.unknown(), z.transform(toCozeScope))),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `has an unknown member: ${issue.keys.join(", ")}` : "must be a JSON object",
  },
);

/**
 * `POST /`: an access token as Coze answers it, `expires_in` being the Unix time in seconds at which it ends.
 * `X-User-ID` names the user, and an optional JSON body asks for less than the settings grant.
 */
export function tokenRoute(service: Service): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      if ("problems" in service) throw misconfigured(service.problems);
      const userId = parseUserId(c.req.raw.headers.get("X-User-ID"));
      const request = parseTokenRequest(await readJsonBody(c.req.raw));

      const grant = grantFor(userId, request, service.limits);
      const { token, cacheOutcome, ttlSeconds } = await service.issueToken(grant, (work) =>
        c.executionCtx.waitUntil(work),
      );

      const ttl = cacheOutcome === "hit" ? `; ttl=${ttlSeconds}` : "";
      c.header("Cache-Status", `coze-token-worker; ${CACHE_STATUS_BY_OUTCOME[cacheOutcome]}${ttl}`);
      return c.json({ access_token: token.accessToken, expires_in: token.expiresAt, token_type: "Bearer" });
    })
    .all("/", allowMethods("POST"));
}

function parseTokenRequest(body: unknown): GrantRequest {
  if (body === undefined) return {};

  const result = tokenRequestBody.safeParse(body);
  if (result.success) return { durationSeconds: result.data.duration_seconds, scope: result.data.scope };

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
