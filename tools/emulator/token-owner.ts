import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { LiveTokens, TokenOwner } from "./live-tokens.ts";
import type { EmulatorEnv } from "./log-id.ts";

/** What a route behind {@link tokenOwner} knows of its request. */
export type OwnedEnv = { Variables: EmulatorEnv["Variables"] & { owner: TokenOwner } };

/** Lets requests with a live token pass. All others get Coze's 401 with code 4100: expired, revoked and unknown alike. */
export function tokenOwner(tokens: Pick<LiveTokens, "find">) {
  return createMiddleware<OwnedEnv>(async function tokenOwner(c, next) {
    const accessToken = c.req.header("authorization")?.match(/^Bearer +(\S+)$/)?.[1];
    const owner = accessToken === undefined ? undefined : await tokens.find(accessToken);
    if (owner === undefined) return failure(c, 401, 4100, "authentication is invalid");

    c.set("owner", owner);
    return next();
  });
}

/** The response of Coze's APIs to a request that worked. */
export function success<Env extends EmulatorEnv>(c: Context<Env>, data: unknown) {
  return c.json({ code: 0, msg: "", data, detail: { logid: c.get("logId") } });
}

/** The response of Coze's APIs to a request that did not work. */
export function failure<Env extends EmulatorEnv>(c: Context<Env>, status: 400 | 401 | 404, code: number, msg: string) {
  return c.json({ code, msg, detail: { logid: c.get("logId") } }, status);
}

/** The response to a path, a chat or a conversation that does not exist. */
export function resourceNotFound<Env extends EmulatorEnv>(c: Context<Env>) {
  return failure(c, 404, 4200, "resource not found");
}
