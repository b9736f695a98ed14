import { beforeAll, describe, expect, it } from "vitest";
import { fetchJson, readText } from "../../../src/adapters/fetch-json.ts";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import type { Reply } from "../../support/stand-in-server.ts";

/** What is allowed. */
const MAX_BYTES = 256 * 1024;

const CHUNKED = { "Transfer-Encoding": "chunked" };
const announcing = (length: number) => ({ "Content-Length": String(length) });
const textOf = (length: number) => JSON.stringify("x".repeat(length - 2));

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await createTestIssuer();
});

async function fetchFrom(reply: Reply): Promise<unknown> {
  await issuer.publish("keys", reply);
  return fetchJson(fetch, issuer.jwksUri);
}

describe("a JSON document", () => {
  it.each<[string, Reply]>([
    ["announced", { body: textOf(MAX_BYTES), headers: announcing(MAX_BYTES) }],
    ["in chunks", { body: textOf(MAX_BYTES), headers: CHUNKED }],
    ["compressed", { body: textOf(MAX_BYTES), gzip: true }],
  ])("accepts a JSON document of 256 KiB: %s", async (_what, reply) => {
    expect(await fetchFrom(reply)).toHaveLength(MAX_BYTES - 2);
  });

  it.each<[string, Reply]>([
    // It never arrives, so reading it would wait forever.
    ["announced, before any of it is read", { stall: true, headers: announcing(MAX_BYTES + 1) }],
    ["in chunks", { body: textOf(MAX_BYTES + 1), headers: CHUNKED }],
    ["in chunks without end, as soon as it is too much", { body: textOf(MAX_BYTES + 1), stall: true }],
    ["compressed to far less", { body: textOf(MAX_BYTES + 1), gzip: true }],
  ])("refuses a JSON document of more than 256 KiB: %s", async (_what, reply) => {
    await expect(fetchFrom(reply)).rejects.toThrow(`returned more than ${MAX_BYTES} bytes`);
  });
});

it("reads characters that arrive in two pieces", async () => {
  const bytes = new TextEncoder().encode("用户");
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await readText(new Response(body), bytes.length)).toBe("用户");
});
