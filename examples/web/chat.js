// One question to a Coze agent, with nothing but `fetch`. With a bundler, `@coze/api` does this for you.

/**
 * Asks the agent, and hands every piece of its answer to `onText` as it comes. Returns the id of the conversation, for the
 * next question. Throws a ChatError, with `status` and `code` as the SDKs of Coze have them.
 */
export async function chat({ cozeApi, botId, token, userId, conversationId, question }, onText) {
  const url = new URL("/v3/chat", cozeApi);
  if (conversationId) url.searchParams.set("conversation_id", conversationId);
  const response = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      bot_id: botId,
      user_id: userId,
      stream: true,
      additional_messages: [{ role: "user", content_type: "text", content: question }],
    }),
  });

  // An error is JSON, whatever its status.
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    throw new ChatError(response.status, await response.json().catch(() => ({})));
  }

  let conversation = conversationId;
  for await (const { event, data } of parseEvents(response.body)) {
    if (event === "conversation.chat.created") conversation = data.conversation_id;
    if (event === "conversation.message.delta" && data.type === "answer") onText(data.content);
    if (event === "conversation.chat.failed") throw new ChatError(response.status, data.last_error);
    if (event === "error") throw new ChatError(response.status, data);
  }
  return conversation;
}

/** What Coze says when it refuses. */
export class ChatError extends Error {
  name = "ChatError";

  constructor(status, { code, msg, detail } = {}) {
    super(`Coze refused: ${msg ?? "no reason given"} (status ${status}, code ${code ?? "none"})`);
    this.status = status;
    this.code = code;
    this.requestId = detail?.logid;
  }
}

/** Server-sent events: blocks of lines such as `event:…` and `data:…`, with an empty line after each block. */
async function* parseEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;

    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop(); // the one that is still coming
    for (const block of blocks) {
      const [, event] = block.match(/^event: ?(.*)$/m) ?? [];
      const [, data] = block.match(/^data: ?(.*)$/m) ?? [];
      if (data) yield { event, data: JSON.parse(data) };
    }
  }
}
