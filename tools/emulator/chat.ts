/** A chat: one question to a bot, and the answer to it. */
export type Chat = ReturnType<typeof createChat>;

/** What a chat is made of. `createdAt` is in Unix seconds. */
type ChatContent = {
  readonly conversationId: string;
  readonly botId: string;
  readonly createdAt: number;
  readonly answer: string;
};

/** One event of a stream, before it is written: Coze sends `data` as JSON, the `[DONE]` of the end included. */
export type ChatEvent = { readonly event: string; readonly data: unknown };

const ID_DIGITS = 19;

/** Coze ends every answer with a message of the type `verbose` that says this. */
const ANSWER_FINISH = JSON.stringify({
  msg_type: "generate_answer_finish",
  data: "",
  from_module: null,
  from_unit: null,
});

/** An id as Coze makes them: a decimal number of 19 digits in a string, never the same twice. */
export function randomId(): string {
  const [random = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return `7${random
    .toString()
    .padStart(ID_DIGITS, "0")
    .slice(-ID_DIGITS + 1)}`;
}

/** Creates a chat with its two messages, in Coze's shapes. */
export function createChat({ conversationId, botId, createdAt, answer }: ChatContent) {
  const id = randomId();
  const ids = { conversation_id: conversationId, bot_id: botId, section_id: conversationId };
  const message = { ...ids, chat_id: id, role: "assistant", content_type: "text", created_at: createdAt };

  return {
    id,
    conversationId,
    messages: {
      answer: { ...message, id: randomId(), type: "answer", content: answer },
      finish: { ...message, id: randomId(), type: "verbose", content: ANSWER_FINISH },
    },

    /** The chat itself, as `POST /v3/chat`, `/v3/chat/retrieve` and the `conversation.chat.*` events have it. */
    describe(status: "created" | "in_progress" | "completed") {
      const completed = status === "completed" ? { completed_at: createdAt } : {};
      const usage = { token_count: 0, output_count: 0, input_count: 0 };
      return { id, ...ids, created_at: createdAt, ...completed, last_error: { code: 0, msg: "" }, status, usage };
    },
  };
}

/** The events of a chat in Coze's order. The answer comes word by word, and then once more as a whole. */
export function* chatEvents({ describe, messages: { answer, finish } }: Chat): Generator<ChatEvent> {
  yield { event: "conversation.chat.created", data: describe("created") };
  yield { event: "conversation.chat.in_progress", data: describe("in_progress") };
  for (const content of answer.content.split(/(?<=\s)(?=\S)/)) {
    yield { event: "conversation.message.delta", data: { ...answer, content } };
  }
  yield { event: "conversation.message.completed", data: answer };
  yield { event: "conversation.message.completed", data: finish };
  yield { event: "conversation.chat.completed", data: describe("completed") };
  yield { event: "done", data: "[DONE]" };
}
