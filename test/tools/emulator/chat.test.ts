import { CozeAPI, RoleType, type StreamChatData } from "@coze/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rig, startRig } from "./harness.ts";

const BOT_ID = "7379462189365198898";
const ANSWER = "This is the Coze emulator. Your session is user_2222. You said: hello there";
const QUESTION = {
  bot_id: BOT_ID,
  user_id: "user_2222",
  additional_messages: [{ role: RoleType.User, content_type: "text" as const, content: "hello there" }],
};

describe("a chat", () => {
  let rig: Rig;
  let token: string;

  beforeAll(async () => {
    rig = await startRig();
    token = await rig.issue({ claims: { session_name: "user_2222" } });
  });
  afterAll(() => rig.close());

  function client(accessToken = token) {
    return new CozeAPI({ baseURL: rig.url, token: accessToken });
  }

  function post(path: string, accessToken: string, body: unknown = {}) {
    const headers = { Authorization: `Bearer ${accessToken}`, "Content-Type": "application/json" };
    return fetch(rig.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  it("streams a chat's events to the official SDK in Coze's order, word by word and then whole", async () => {
    const events: StreamChatData[] = [];
    for await (const event of client().chat.stream(QUESTION)) events.push(event);

    const words = events.filter(({ event }) => event === "conversation.message.delta");
    const others = events.filter((event) => !words.includes(event));
    expect(words.length).toBeGreaterThan(5);
    expect(words.map(({ data }) => (data as { content: string }).content).join("")).toBe(ANSWER);
    expect(others).toMatchObject([
      { event: "conversation.chat.created", data: { bot_id: BOT_ID, status: "created" } },
      { event: "conversation.chat.in_progress", data: { status: "in_progress" } },
      { event: "conversation.message.completed", data: { type: "answer", role: "assistant", content: ANSWER } },
      { event: "conversation.message.completed", data: { type: "verbose" } },
      { event: "conversation.chat.completed", data: { status: "completed" } },
      { event: "done", data: "[DONE]" },
    ]);
  });

  it("writes a chat's server-sent events as Coze does", async () => {
    const response = await post("/v3/chat?conversation_id=123", token, { bot_id: BOT_ID, stream: true });
    const text = await response.text();

    expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
    expect(text).toMatch(/^event:conversation\.chat\.created\ndata:\{"id":"\d{19}","conversation_id":"123",/);
    expect(text).toMatch(/\n\nevent:done\ndata:"\[DONE\]"\n\n$/);
  });

  it("lets the official SDK retrieve an unstreamed chat with its messages", async () => {
    const { chat, messages } = await client().chat.createAndPoll(QUESTION);

    expect(chat).toMatchObject({ bot_id: BOT_ID, status: "completed" });
    expect(messages).toMatchObject([{ type: "answer", content: ANSWER, chat_id: chat.id }, { type: "verbose" }]);
  });

  it("hides a chat from tokens of another session", async () => {
    const { id, conversation_id } = await client().chat.create(QUESTION);
    const other = client(await rig.issue({ claims: { session_name: "user_3333" } }));

    await expect(other.chat.retrieve(conversation_id, id)).rejects.toMatchObject({ status: 404, code: 4200 });
    await expect(other.chat.messages.list(conversation_id, id)).rejects.toMatchObject({ status: 404, code: 4200 });
  });

  it("refuses a chat without a bot", async () => {
    const response = await post("/v3/chat", token, { stream: true });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 4000, msg: expect.stringContaining("bot_id") });
  });

  it.each(["expire", "revoke"])(
    "refuses a chat with a token after POST /emulator/tokens/%s, as Coze does",
    async (ending) => {
      const ended = await rig.issue();
      await rig.control("POST", `/tokens/${ending}`, { access_token: ended });

      const stream = async () => {
        for await (const _event of client(ended).chat.stream(QUESTION));
      };
      await expect(stream()).rejects.toMatchObject({ name: "AuthenticationError", status: 401 });
    },
  );

  it("serves every request that an official chat component makes when it opens", async () => {
    const bot = await client().bots.retrieve({ bot_id: BOT_ID });
    const { conversations } = await client().conversations.list({ bot_id: BOT_ID });
    const conversation = await client().conversations.create({ bot_id: BOT_ID });
    const messages = await client().conversations.messages.list(conversation.id);

    expect(bot).toMatchObject({ bot_id: BOT_ID, name: "Coze emulator" });
    expect(conversations).toEqual([]);
    expect(conversation).toMatchObject({ id: expect.stringMatching(/^7\d{18}$/) });
    expect(messages).toMatchObject({ data: [], has_more: false });
  });

  it("has every bot, by its id", async () => {
    expect(await client().bots.retrieveNew(BOT_ID)).toMatchObject({ bot_id: BOT_ID, name: "Coze emulator" });
  });

  it.each([
    ["GET", "/v1/bot/get_online_info"],
    ["GET", "/v1/bots/7379"],
    ["GET", "/v1/conversations"],
    ["POST", "/v1/conversation/create"],
    ["POST", "/v1/conversation/message/list"],
    ["POST", "/v3/chat"],
    ["GET", "/v3/chat/retrieve"],
    ["GET", "/v3/chat/message/list"],
  ])("refuses %s %s with a token that was never issued", async (method, path) => {
    const response = await fetch(rig.url + path, { method, headers: { Authorization: "Bearer czs_never_issued" } });

    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 4100, msg: "authentication is invalid" });
  });
});
