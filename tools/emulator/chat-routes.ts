import { type Context, Hono } from "hono";
import { stream } from "hono/streaming";
import * as z from "zod";
import { failure, resourceNotFound, success } from "./api-response.ts";
import { type Chat, chatEvents, createChat, randomId } from "./chat.ts";
import { pause } from "./connection.ts";
import { describeIssues } from "./coze-error.ts";
import { createExpiringMap } from "./expiring-map.ts";
import type { LiveTokens, TokenOwner } from "./live-tokens.ts";
import { parseJson } from "./response.ts";
import { type OwnedEnv, tokenOwner } from "./token-owner.ts";

/** How long a chat can be retrieved. */
const CHAT_LIFE_SECONDS = 3_600;

/** The pause after each word: long enough to be seen, short enough for a test. */
const WORD_MS = 20;

/** Other properties pass: nothing here depends on them. */
const messageSchema = z.object({ role: z.string(), content: z.string().default("") });
const chatSchema = z.object({
  bot_id: z.string().min(1),
  stream: z.boolean().default(false),
  additional_messages: z.array(messageSchema).nullish(),
});

type Message = z.infer<typeof messageSchema>;

/** What the chats need of the emulator around them. */
export type ChatParts = {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly tokens: Pick<LiveTokens, "find">;
};

/**
 * `/v3/chat`, as far as chatting with a bot goes: with `stream` as server-sent events, otherwise to be retrieved. Every bot
 * id exists, and gives the same answer. A chat is for tokens of the app and the session that began it.
 */
export function createChatRoutes({ now, tokens }: ChatParts) {
  const chats = createExpiringMap<Chat>(now);
  const owned = tokenOwner(tokens);

  return (
    new Hono<OwnedEnv>()
      .post("/", owned, async (c) => {
        const body = chatSchema.safeParse(parseJson(await c.req.text()));
        if (!body.success) return failure(c, 400, 4000, `request parameter is invalid: ${describeIssues(body.error)}`);

        const createdAt = Math.floor(now() / 1000);
        const chat = createChat({
          conversationId: c.req.query("conversation_id") ?? randomId(),
          botId: body.data.bot_id,
          createdAt,
          answer: cannedAnswer(c.get("owner"), body.data.additional_messages ?? []),
        });
        if (body.data.stream) return sendEvents(c, chat);

        chats.set(chatKey(c.get("owner"), chat.conversationId, chat.id), chat, createdAt + CHAT_LIFE_SECONDS);
        return success(c, chat.describe("in_progress"));
      })
      // The official SDK for JavaScript posts what Coze documents as a GET.
      .on(["GET", "POST"], "/retrieve", owned, (c) => {
        const chat = requestedChat(c);
        return chat === undefined ? resourceNotFound(c) : success(c, chat.describe("completed"));
      })
      .get("/message/list", owned, (c) => {
        const chat = requestedChat(c);
        return chat === undefined ? resourceNotFound(c) : success(c, Object.values(chat.messages));
      })
  );

  function requestedChat(c: Context<OwnedEnv>): Chat | undefined {
    const { conversation_id = "", chat_id = "" } = c.req.query();
    return chats.get(chatKey(c.get("owner"), conversation_id, chat_id));
  }
}

/** Writes the events as Coze does: no blank after the colons. */
function sendEvents(c: Context<OwnedEnv>, chat: Chat): Response {
  c.header("Content-Type", "text/event-stream; charset=utf-8");
  c.header("Cache-Control", "no-cache");
  return stream(c, async (events) => {
    for (const { event, data } of chatEvents(chat)) {
      await events.write(`event:${event}\ndata:${JSON.stringify(data)}\n\n`);
      const isWord = event === "conversation.message.delta";
      if (isWord && !(await pause(WORD_MS, c.req.raw.signal))) return;
    }
  });
}

function chatKey({ clientId, sessionName }: TokenOwner, conversationId: string, chatId: string): string {
  return JSON.stringify([clientId, sessionName, conversationId, chatId]);
}

/** Names the session, so that a reader sees whose conversation a token has opened. */
function cannedAnswer({ sessionName }: TokenOwner, messages: readonly Message[]): string {
  const question = messages.findLast(({ role }) => role === "user")?.content ?? "nothing";
  const session = sessionName === null ? "You have no session." : `Your session is ${sessionName}.`;
  return `This is the Coze emulator. ${session} You said: ${question}`;
}
