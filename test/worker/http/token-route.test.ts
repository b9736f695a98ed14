import { beforeAll, describe, expect, it } from "vitest";
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
  it.each(["u", "user123", "Ada Lovelace", "ada@example.com", encodeURIComponent("用户"), "null", "x".repeat(128)])(
    "uses X-User-ID as the session_name: %s",
    async (userId) => {
      expect((await worker.post(userId)).status).toBe(200);
      expect((await app.exchanges()).at(-1)?.assertion.claims["session_name"]).toBe(userId);
    },
  );

  it.each([
    ["empty", ""],
    ["blank", "   "],
    ["too long", "x".repeat(129)],
    ["Latin-1", "us\u00e9r"],
    ["UTF-8 bytes", String.fromCharCode(...new TextEncoder().encode("用户"))],
    ["a control character", "us\x01er"],
    ["a tab inside", "us\ter"],
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

  it.each<[string, RequestInit, number, string, string]>([
    ["an unknown property", json({ duration: 60 }), 400, "invalid_request", "unknown property: duration"],
    ["unknown properties", json({ a: 1, b: 2 }), 400, "invalid_request", "unknown property: a, b"],
    ["a list", json([]), 400, "invalid_request", "must be a JSON object"],
    ["null", json(null), 400, "invalid_request", "must be a JSON object"],
    ["a string", json("900"), 400, "invalid_request", "must be a JSON object"],
    [
      "a duration as a string",
      json({ duration_seconds: "60" }),
      400,
      "invalid_request",
      "duration_seconds must be a whole",
    ],
    [
      "a duration of null",
      json({ duration_seconds: null }),
      400,
      "invalid_request",
      "duration_seconds must be a whole",
    ],
    ["a fraction", json({ duration_seconds: 1.5 }), 400, "invalid_request", "duration_seconds must be a whole"],
    ["a duration of 0", json({ duration_seconds: 0 }), 400, "invalid_request", "duration_seconds must be at least 1"],
    [
      "a negative duration",
      json({ duration_seconds: -1 }),
      400,
      "invalid_request",
      "duration_seconds must be at least",
    ],
    ["too long a life", json({ duration_seconds: 901 }), 400, "invalid_scope", "duration_seconds asks for more"],
    ["a rejected token of 1", json({ rejected_token: 1 }), 400, "invalid_request", "rejected_token must be a string"],
    ["a minimum of 0", json({ minimum_seconds: 0 }), 400, "invalid_request", "minimum_seconds must be at least 1"],
    [
      "a minimum as a string",
      json({ minimum_seconds: "60" }),
      400,
      "invalid_request",
      "minimum_seconds must be a whole",
    ],
    [
      "a scope over 2 KiB",
      json({ scope: permissions("x".repeat(2048)) }),
      400,
      "invalid_request",
      "scope is larger than 2048 bytes",
    ],
    [
      "a scope over 2 KiB in other letters",
      json({ scope: permissions("\u7528".repeat(700)) }),
      400,
      "invalid_request",
      "scope is larger",
    ],
    ["a scope as a string", json({ scope: "botChat" }), 400, "invalid_request", "scope must be an object"],
    ["a scope of null", json({ scope: null }), 400, "invalid_request", "scope must be an object"],
    ["an empty scope", json({ scope: {} }), 400, "invalid_request", "scope must have at least one of"],
    [
      "an unknown scope property",
      json({ scope: { bots: [] } }),
      400,
      "invalid_request",
      "scope.bots is not a property",
    ],
    ["an empty list of bots", json({ scope: bots() }), 400, "invalid_request", "bot_id_list must be a list"],
    [
      "two issues",
      json({ duration_seconds: 0, scope: 1 }),
      400,
      "invalid_request",
      "at least 1; scope must be an object",
    ],
    ["another bot", json({ scope: bots("3") }), 400, "invalid_scope", "bot_id_list asks for more"],
    ["one bot too many", json({ scope: bots("1", "3") }), 400, "invalid_scope", "bot_id_list asks for more"],
    [
      "another kind of permission",
      json({ scope: { workspace_permission: { permission_list: ["x"] } } }),
      400,
      "invalid_scope",
      "workspace_permission.permission_list asks for more",
    ],
    ["broken JSON", { ...json({}), body: "{" }, 400, "invalid_request", "not valid JSON"],
    [
      "bytes that are not UTF-8",
      { ...json({}), body: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      "invalid_request",
      "JSON",
    ],
    ["a body that breaks off", { ...json({}), body: brokenOff('{"a":') }, 400, "invalid_request", "ended before"],
    ["a form", { body: new URLSearchParams({ a: "b" }) }, 415, "unsupported_media_type", "application/json"],
    ["plain text", { body: "{}" }, 415, "unsupported_media_type", "application/json"],
    ["bytes of no type", { body: new Uint8Array([1]) }, 415, "unsupported_media_type", "application/json"],
    [
      "a type that only starts like JSON",
      { body: "{}", headers: { "Content-Type": "application/jsonp" } },
      415,
      "unsupported_media_type",
      "application/json",
    ],
    ["more than 16 KiB", { ...json({}), body: " ".repeat(16 * 1024 + 1) }, 413, "payload_too_large", "16384 bytes"],
  ])("refuses an invalid body without a request to Coze: %s", async (_what, init, status, error, description) => {
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
