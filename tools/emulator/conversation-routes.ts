import { Hono } from "hono";
import { success } from "./api-response.ts";
import { randomId } from "./chat.ts";
import type { ChatParts } from "./chat-routes.ts";
import { type OwnedEnv, tokenOwner } from "./token-owner.ts";

/**
 * What the official chat components request when they open: the bot, the conversations with it, and their messages. Nothing
 * is stored, so every bot exists, nobody has a conversation before, and each one begins empty.
 */
export function createConversationRoutes({ now, tokens }: ChatParts) {
  const owned = tokenOwner(tokens);

  return new Hono<OwnedEnv>()
    .get("/bot/get_online_info", owned, (c) => success(c, describeBot(c.req.query("bot_id") ?? "")))
    .get("/bots/:bot_id", owned, (c) => success(c, describeBot(c.req.param("bot_id"))))
    .get("/conversations", owned, (c) => success(c, { conversations: [], has_more: false }))
    .post("/conversation/create", owned, (c) => {
      const id = randomId();
      return success(c, { id, created_at: Math.floor(now() / 1000), meta_data: {}, last_section_id: id });
    })
    .post("/conversation/message/list", owned, (c) =>
      c.json({
        code: 0,
        msg: "",
        data: [],
        first_id: "0",
        last_id: "0",
        has_more: false,
        detail: { logid: c.get("logId") },
      }),
    );
}

function describeBot(botId: string) {
  return {
    bot_id: botId,
    name: "Coze emulator",
    description: "Gives one answer to everything.",
    icon_url: "",
    onboarding_info: { prologue: "", suggested_questions: [] },
  };
}
