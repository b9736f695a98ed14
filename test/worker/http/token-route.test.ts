import { beforeAll, describe, expect, it } from "vitest";
import { invalidScope } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { bots, permissions } from "../../support/scopes.ts";
import { json, propertiesOf, startWorker, type TestWorker } from "../../support/worker.ts";

let app: TestApp;
let worker: TestWorker;

beforeAll(async () => {
  app = await createTestApp();
  worker = await startWorker({
    ...app.settings,
    TOKEN_SCOPE: { ...permissions("Connector.botChat"), ...bots("1", "2") },
  });
});

describe("X-User-ID", () => {
  it("uses X-User-ID as the session_name", async () => {
    expect((await worker.post("Ada Lovelace")).status).toBe(200);
    expect((await app.exchanges()).at(-1)?.assertion.claims["session_name"]).toBe("Ada Lovelace");
  });

  it.each([
    ["empty", ""],
    ["blank", "   "],
    ["too long", "x".repeat(129)],
    ["UTF-8 bytes", String.fromCharCode(...new TextEncoder().encode("用户"))],
  ])("refuses an invalid X-User-ID without a request to Coze: %s", async (_what, userId) => {
    const before = (await app.exchanges()).length;
    const response = await worker.post(userId);
    expect(response.status).toBe(400);
    expect(await propertiesOf(response)).toMatchObject({
      error: "invalid_request",
      error_description: expect.stringContaining("X-User-ID"),
    });
    expect(await app.exchanges()).toHaveLength(before);
  });
});

describe("the query", () => {
  it.each(["user", "user_id", "userId", "uid"])(
    "refuses a user id in the query, where every log would have it: %s",
    async (name) => {
      const before = (await app.exchanges()).length;
      const response = await worker.fetch(`/?a=b&${name}=ada`, { method: "POST" });
      expect(response.status).toBe(400);
      expect(await propertiesOf(response)).toMatchObject({
        error: "invalid_request",
        error_description: expect.stringContaining(`send ${name} as the header X-User-ID`),
      });
      expect(await app.exchanges()).toHaveLength(before);
    },
  );

  it("ignores any query parameter that is not a user id", async () => {
    expect((await worker.fetch("/?utm_source=mail", { method: "POST" })).status).toBe(200);
  });
});

describe("the body", () => {
  it.each<[string, RequestInit]>([
    ["none", {}],
    ["none, with the type of JSON", { headers: { "Content-Type": "application/json" } }],
    ["an empty one, of any type", { body: "", headers: { "Content-Type": "application/x-www-form-urlencoded" } }],
    ["an empty object", json({})],
    ["an announced length", { body: "{}", headers: { "Content-Type": "application/json", "Content-Length": "2" } }],
    ["a charset", { body: "{}", headers: { "Content-Type": "Application/JSON; charset=utf-8" } }],
    ["a byte order mark", { body: "\ufeff{}", headers: { "Content-Type": "application/json" } }],
    ["a shorter life", json({ duration_seconds: 2 })],
    ["the whole life", json({ duration_seconds: 900 })],
    ["an empty rejected token, as the Chat SDK begins", json({ rejected_token: "" })],
    ["a rejected token of null", json({ rejected_token: null })],
    ["a minimum life", json({ minimum_seconds: 86_400 })],
    ["less scope", json({ scope: bots("1") })],
    ["the whole scope", json({ scope: bots("2", "1") })],
    ["exactly 16 KiB", { body: `{}${" ".repeat(16 * 1024 - 2)}`, headers: { "Content-Type": "application/json" } }],
  ])("accepts as the body of a token request %s", async (_what, init) => {
    expect((await worker.post("ada", init)).status).toBe(200);
  });

  const notJson = { status: 415, error: "unsupported_media_type", description: "application/json" };
  it.each<[string, RequestInit, string | typeof notJson]>([
    ["an unknown property", json({ duration: 60 }), "unknown property: duration"],
    ["unknown properties", json({ a: 1, b: 2 }), "unknown property: a, b"],
    ["a list", json([]), "must be a JSON object"],
    ["null", json(null), "must be a JSON object"],
    ["a string", json("900"), "must be a JSON object"],
    ["a duration as a string", json({ duration_seconds: "60" }), "duration_seconds must be a whole"],
    ["a duration of null", json({ duration_seconds: null }), "duration_seconds must be a whole"],
    ["a fraction", json({ duration_seconds: 1.5 }), "duration_seconds must be a whole"],
    ["a duration of 0", json({ duration_seconds: 0 }), "duration_seconds must be at least 1"],
    ["a negative duration", json({ duration_seconds: -1 }), "duration_seconds must be at least"],
    ["a rejected token of 1", json({ rejected_token: 1 }), "rejected_token must be a string"],
    ["a minimum of 0", json({ minimum_seconds: 0 }), "minimum_seconds must be at least 1"],
    ["a minimum as a string", json({ minimum_seconds: "60" }), "minimum_seconds must be a whole"],
    ["a scope over 2 KiB", json({ scope: permissions("x".repeat(2048)) }), "scope is larger than 2048 bytes"],
    ["a scope of null", json({ scope: null }), "scope must be an object"],
    ["an unknown scope property", json({ scope: { bots: [] } }), "scope.bots is not a property"],
    ["two issues", json({ duration_seconds: 0, scope: 1 }), "at least 1; scope must be an object"],
    ["broken JSON", { ...json({}), body: "{" }, "not valid JSON"],
    ["bytes that are not UTF-8", { ...json({}), body: new Uint8Array([0x22, 0xff, 0x22]) }, "JSON"],
    ["a body that breaks off", { ...json({}), body: brokenOff('{"a":') }, "ended before"],
    ["too long a life", json({ duration_seconds: 901 }), invalidScope("duration_seconds asks for more")],
    ["another bot", json({ scope: bots("3") }), invalidScope("bot_id_list asks for more")],
    ["a form", { body: new URLSearchParams({ a: "b" }) }, notJson],
    ["plain text", { body: "{}" }, notJson],
    ["bytes of no type", { body: new Uint8Array([1]) }, notJson],
    ["a type that only starts like JSON", { body: "{}", headers: { "Content-Type": "application/jsonp" } }, notJson],
    [
      "more than 16 KiB",
      { ...json({}), body: " ".repeat(16 * 1024 + 1) },
      { status: 413, error: "payload_too_large", description: "16384 bytes" },
    ],
  ])("refuses an invalid body without a request to Coze: %s", async (_what, init, refusal) => {
    const invalid = { status: 400, error: "invalid_request", description: String(refusal) };
    const { status, error, description } = typeof refusal === "string" ? invalid : refusal;
    const before = (await app.exchanges()).length;
    const response = await worker.post("ada", init);
    expect(response.status).toBe(status);
    expect(await propertiesOf(response)).toEqual({
      error,
      error_description: expect.stringContaining(description),
      request_id: response.headers.get("X-Request-Id"),
    });
    expect(await app.exchanges()).toHaveLength(before);
  });

  it("quotes a body in printable ASCII only, cut to 500 characters", async () => {
    const name = `"\\é\n${"x".repeat(1000)}`;
    const { error_description: description } = await propertiesOf(await worker.post("ada", json({ [name]: 1 })));
    expect(description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,500}$/);
    expect(description).toContain("????xxx");
  });
});

/** A body whose sender disconnects after the beginning. */
function brokenOff(beginning: string): ReadableStream {
  const chunks = [new TextEncoder().encode(beginning)];
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.error(new Error("Network connection lost."));
    },
  });
}
