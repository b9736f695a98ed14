import { join } from "node:path";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { serve } from "../../support/stand-in-server.ts";
import { type ExampleService, ROOT, startService } from "./service.ts";
import { prepareWebPage, startWebPage } from "./web-page.ts";

const BOT_ID = "7379462189365198898";

type Question = Readonly<Record<"cozeApi" | "botId" | "token" | "userId" | "question", string>>;
type ChatModule = {
  readonly chat: (question: Question, onText: (text: string) => void) => Promise<string>;
};

// The example is JavaScript, so its type is what this file says.
const { chat }: ChatModule = await import(/* @vite-ignore */ join(ROOT, "examples/web/chat.js"));

describe("examples/web", () => {
  let service: ExampleService;
  let page: Awaited<ReturnType<typeof startWebPage>>;

  beforeAll(async () => {
    const { port, callers } = await prepareWebPage();
    service = await startService(JSON.parse(callers));
    page = await startWebPage(port, service.tokenUrl, service.cozeApi);
  });
  afterAll(async () => {
    await page[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  /** The JWT of a user who logs in. */
  async function logIn(name: string): Promise<string> {
    const response = await fetch(`${page.url}/login`, { method: "POST", body: JSON.stringify({ name }) });
    const cookie = response.headers.get("Set-Cookie")?.split(";")[0] ?? "";
    const { id_token } = await (
      await fetch(`${page.url}/id-token`, { headers: { Cookie: cookie } })
    ).json<JwtResponse>();
    return id_token ?? "";
  }

  function requestToken(jwt: string, origin = page.url) {
    return fetch(service.tokenUrl, { method: "POST", headers: { Authorization: `Bearer ${jwt}`, Origin: origin } });
  }

  it("chats in the session of the logged-in user of examples/web", async () => {
    const response = await requestToken(await logIn("ada"));
    const { access_token: token } = await response.json<{ access_token: string }>();

    const pieces: string[] = [];
    const question = { cozeApi: service.cozeApi, botId: BOT_ID, token, userId: "ada", question: "Who am I?" };
    const conversationId = await chat(question, (piece) => pieces.push(piece));

    expect(page.line).toBe(`The page is on ${page.url}. Ctrl-C ends it.\n`);
    expect(pieces.join("")).toBe("This is the Coze emulator. Your session is ada. You said: Who am I?");
    expect(pieces.length).toBeGreaterThan(5);
    expect(conversationId).toMatch(/^7\d{18}$/);
  });

  it("gives no JWT to a client that is not logged in to examples/web", async () => {
    const response = await fetch(`${page.url}/id-token`, { headers: { Cookie: "session=made-up" } });

    expect(await response.json()).toEqual({ name: null });
    expect((await requestToken("")).status).toBe(401);
  });

  it("refuses the caller of examples/web to pages of other origins", async () => {
    const response = await requestToken(await logIn("ada"), "https://evil.example");

    expect(response.status).toBe(403);
  });

  it("allows examples/web by policy to load from its own server, the Worker and Coze only", async () => {
    const response = await fetch(page.url);

    expect(response.headers.get("Content-Security-Policy")).toBe(
      `default-src 'self'; img-src 'self' data:; script-src 'self' ${new URL(service.tokenUrl).origin}; ` +
        `connect-src 'self' ${new URL(service.tokenUrl).origin} ${service.cozeApi}`,
    );
  });

  it("throws in examples/web a rejected token as an error with Coze's status, code and log id", async () => {
    const question = { cozeApi: service.cozeApi, botId: BOT_ID, token: "czs_ended", userId: "ada", question: "?" };

    await expect(chat(question, () => {})).rejects.toMatchObject({
      name: "ChatError",
      status: 401,
      code: 4100,
      requestId: expect.stringMatching(/^\d{14}[\dA-F]{20}$/),
    });
  });

  it.each([1, 2, 7, 1000])("reads in examples/web a stream that arrives in pieces of %i bytes", async (size) => {
    const events = `event:conversation.message.delta\ndata:${JSON.stringify({ type: "answer", content: "扣子 ✓" })}\n\n`;
    const bytes = new TextEncoder().encode(events + events);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    );
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const server = await serve(
      new Hono().post("/v3/chat", () => new Response(body, { headers: { "Content-Type": "text/event-stream" } })),
    );
    onTestFinished(server.close);

    const texts: string[] = [];
    const question = { cozeApi: server.url, botId: BOT_ID, token: "czs_x", userId: "ada", question: "?" };
    await chat(question, (text) => texts.push(text));

    expect(texts).toEqual(["扣子 ✓", "扣子 ✓"]);
  });
});

type JwtResponse = { readonly id_token?: string };
