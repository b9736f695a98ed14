import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkSameAnswer, readAnswer } from "../../../tools/bench/answer.ts";
import { type LoopbackServer, serveOnLoopback } from "../../../tools/lib/loopback-server.ts";

const TOKEN = { access_token: "czs_a", expires_in: 1721135859, token_type: "Bearer" };

let server: LoopbackServer;
let answer: () => Response;

beforeEach(async () => {
  answer = () => Response.json(TOKEN, { headers: { "Cache-Control": "no-store" } });
  server = await serveOnLoopback(() => answer());
});

afterEach(() => server.close());

describe("the answer that a baseline repeats", () => {
  it("is the JSON and the headers, without those that JSON brings by itself", async () => {
    const { json, headers } = await readAnswer(server.url, {});
    expect(json).toEqual(TOKEN);
    expect(headers).toMatchObject({ "cache-control": "no-store" });
    expect(headers).not.toHaveProperty("content-type");
    expect(headers).not.toHaveProperty("content-length");
  });

  it("must be an answer with a token", async () => {
    answer = () => Response.json({ error: "server_misconfigured" }, { status: 500 });
    await expect(readAnswer(server.url, {})).rejects.toThrow("server_misconfigured");
  });

  it("is repeated word for word, or the baseline does not count", async () => {
    const expected = { json: TOKEN, headers: { ...(await readAnswer(server.url, {})).headers, pragma: "no-cache" } };
    await expect(checkSameAnswer(server.url, {}, expected)).rejects.toThrow("pragma");
  });
});
