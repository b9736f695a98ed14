import { createMiddleware } from "hono/factory";
import { failure } from "./api-response.ts";
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
