import { Hono } from "hono";
import * as z from "zod/mini";
import type { Caller } from "../core/caller.ts";
import { type CozeScope, parseCozeScope } from "../core/coze-scope.ts";
import { grantFor } from "../core/grant.ts";
import type { SettingProblem } from "../core/problem.ts";
import { TokenError } from "../core/token-error.ts";
import { allowMethods } from "./allow-methods.ts";
import { answerJson } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { credentialOf } from "./credential.ts";
import { forbiddenOrigin } from "./forbidden-origin.ts";
import { readJsonBody } from "./json-body.ts";
import type { Service, TokenIssuer } from "./service.ts";
import { cacheStatus, serverTiming } from "./token-headers.ts";

const tokenRequestBody = z.strictObject(
  {
    duration_seconds: z.optional(z.int("must be a whole number").check(z.minimum(1, "must be at least 1"))),
    scope: z.optional(z.pipe(z.unknown(), z.transform(toCozeScope))),
    rejected_token: z.optional(z.string("must be a text").check(z.minLength(1, "must not be empty"))),
    "cf-turnstile-response": z.optional(z.string("must be a text")),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `has an unknown member: ${issue.keys.join(", ")}` : "must be a JSON object",
  },
);

/** A limiter does not say when it lets somebody in again; its shortest period is this long. */
const RATE_LIMIT_PAUSE_SECONDS = 10;

/**
 * `POST /`: an access token as Coze answers it, `expires_in` being the Unix time in seconds at which it ends.
 * `X-User-ID` names the user, `Authorization` says who asks, and an optional JSON body asks for less than is granted,
 * or for another token than one that Coze has refused.
 */
export function tokenRoute(service: Service): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      if ("problems" in service) throw misconfigured(service.problems);
      const { headers } = c.req.raw;
      const afterAnswer = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);

      const { caller, claims } = await service.recognise(credentialOf(headers), afterAnswer);
      c.set("caller", caller);
      checkOrigin(caller, c.req.raw);
      const userId = service.sessionNameFor(caller, headers.get("X-User-ID"), claims);
      await countRequest(service, caller, userId, headers);

      const body = parseTokenRequestBody(await readJsonBody(c.req.raw));
      await checkVisitor(service, caller, headers, body["cf-turnstile-response"]);
      const wanted = { durationSeconds: body.duration_seconds, scope: body.scope };
      const grant = grantFor(userId, wanted, service.limitsFor(caller));
      c.set("grant", grant);

      const answer = await service.issueToken({ grant, rejectedToken: body.rejected_token, afterAnswer });
      c.set("answer", answer);
      const headersOut = c.get("headers");
      headersOut["Cache-Status"] = cacheStatus(answer);
      if (service.serverTiming) Object.assign(headersOut, serverTiming(answer.effort));
      const { accessToken, expiresAt } = answer.token;
      return answerJson(c, { access_token: accessToken, expires_in: expiresAt, token_type: "Bearer" });
    })
    .all("/", allowMethods("POST"));
}

function checkOrigin({ name, origins }: Caller, request: Request): void {
  const forbidden = forbiddenOrigin(request, origins);
  if (forbidden === undefined) return;
  throw new TokenError("access_denied", `The caller ${name} may not ask from pages of ${forbidden}.`);
}

/** Counts per user, or where nobody says reliably who it is, per address. */
async function countRequest(
  service: TokenIssuer,
  { name, recognition }: Caller,
  userId: string | undefined,
  headers: Headers,
): Promise<void> {
  if (service.countRequest === undefined) return;
  const isNamed = recognition.kind === "key" || recognition.kind === "jwt";
  const who = isNamed ? userId : clientAddress(headers);
  if (await service.countRequest(`${name} ${who ?? ""}`)) return;

  throw new TokenError("rate_limited", "Too many requests. Keep a token until it ends, and try again later.", {
    retryAfterSeconds: RATE_LIMIT_PAUSE_SECONDS,
  });
}

/** Where the caller's rule asks for it, the response of the Turnstile widget has to be in the header or in the body. */
async function checkVisitor(
  service: TokenIssuer,
  caller: Caller,
  headers: Headers,
  fromBody: string | undefined,
): Promise<void> {
  const rule = caller.recognition.kind === "anonymous" ? caller.recognition.turnstile : undefined;
  if (rule === undefined) return;
  await service.checkVisitor(rule, headers.get("cf-turnstile-response") ?? fromBody, clientAddress(headers));
}

function clientAddress(headers: Headers): string | undefined {
  return headers.get("CF-Connecting-IP") ?? undefined;
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
