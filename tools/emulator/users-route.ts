import { Hono } from "hono";
import { sha256Hex } from "./hex.ts";
import type { LiveTokens, TokenOwner } from "./live-tokens.ts";
import type { EmulatorEnv } from "./log-id.ts";

/** Long enough to look like an id of Coze, which is a decimal number in a string. */
const USER_ID_DIGITS = 16;

/** `GET /me`: the owner of a token, in the shape the official SDK expects of `users.me()`. */
export function createUsersRoute({ tokens }: { readonly tokens: Pick<LiveTokens, "find"> }) {
  return new Hono<EmulatorEnv>().get("/me", async (c) => {
    const detail = { logid: c.get("logId") };
    const accessToken = c.req.header("authorization")?.match(/^Bearer +(\S+)$/)?.[1];
    const token = accessToken === undefined ? undefined : await tokens.find(accessToken);

    if (token === undefined) return c.json({ code: 4100, msg: "authentication is invalid", detail }, 401);
    return c.json({ code: 0, msg: "", data: await describeOwner(token), detail });
  });
}

/** Every app has one owner, whom all its tokens speak for; the id follows from the client id. */
async function describeOwner({ clientId, appName }: TokenOwner) {
  const digest = BigInt(`0x${await sha256Hex(clientId)}`);
  return {
    user_id: digest.toString().slice(0, USER_ID_DIGITS),
    user_name: `owner_${clientId}`,
    nick_name: appName,
    avatar_url: "https://example.com/avatar.png",
  };
}
