import { Hono } from "hono";
import { success } from "./api-response.ts";
import { sha256Hex } from "./hex.ts";
import type { LiveTokens, TokenOwner } from "./live-tokens.ts";
import { type OwnedEnv, tokenOwner } from "./token-owner.ts";

/** Long enough to look like an id of Coze, which is a decimal number in a string. */
const USER_ID_DIGITS = 16;

/** `GET /me`: the owner of a token, in the shape the official SDK expects of `users.me()`. */
export function createUsersRoute({ tokens }: { readonly tokens: Pick<LiveTokens, "find"> }) {
  return new Hono<OwnedEnv>().get("/me", tokenOwner(tokens), async (c) =>
    success(c, await describeOwner(c.get("owner"))),
  );
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
